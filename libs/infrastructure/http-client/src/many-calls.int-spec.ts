import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { listen } from '@morgan/testing';
import { HttpClient } from './http-client.ts';

const CALLS = 10_000;
const MAX_CONNECTIONS = 100;
const SERVICE_MS = 20;
const MOST_LEFT_BYTES = 8 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that are still in use. */
async function memory(): Promise<number> {
  // What was only just released needs a turn of the event loop and a second look.
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it('10,000 calls at once through 100 connections are all answered, and leave no memory behind', async () => {
  let mostOpen = 0;
  await using server = await listen((_, response) => {
    mostOpen = Math.max(mostOpen, server.sockets.size);
    setTimeout(() => response.end('ok'), SERVICE_MS);
  });
  await using client = new HttpClient({
    serviceName: 'slow',
    baseUrl: server.origin,
    pool: { maxConnections: MAX_CONNECTIONS },
    // How fast is not the question here.
    timeout: { poolMs: 100_000, readMs: 100_000 },
  });
  const body = { json: { prompt: 'x'.repeat(1_000) } };
  const round = (calls: number) =>
    Promise.all(Array.from({ length: calls }, async () => (await client.post('/', body)).text()));

  await round(CALLS / 10);
  const before = await memory();
  const answers = await round(CALLS);
  const figures = client.getStatus();
  const grown = (await memory()) - before;

  expect(answers).toEqual(Array(CALLS).fill('ok'));
  expect(mostOpen).toBe(MAX_CONNECTIONS);
  expect(figures).toMatchObject({ errors: 0, inFlight: 0, retry: { attempts: { ok: CALLS + CALLS / 10 } } });
  expect(grown).toBeLessThan(MOST_LEFT_BYTES);
});
