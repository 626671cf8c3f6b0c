import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { type Flight, SingleFlight } from './single-flight.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

it.each<[string, (flight: Flight) => void]>([
  ['landed', (flight) => flight.land({ vector: new Float32Array(1), tokenCount: 1, truncated: false })],
  ['failed', (flight) => flight.fail(new Error('for the test'))],
])('a flight that has %s holds nothing of its call, however long it is held itself', async (_, end) => {
  const begin = () => {
    const call = { request: 'large' };
    const flight = new SingleFlight().begin('key', () => void call.request);
    return { flight, call: new WeakRef(call) };
  };
  const { flight, call } = begin();
  end(flight);
  // What a reference was made for lives until the end of the turn.
  await delay(0);
  collect();
  expect(call.deref()).toBeUndefined();
  expect(flight.isAwaited).toBe(false);
});
