import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Opossum from 'opossum';

type Act = () => Promise<unknown>;
const good: Act = () => Promise.resolve();
const bad: Act = () => Promise.reject(new Error('reset'));

function opossum() {
  const breaker = new Opossum((act: Act) => act(), {
    timeout: false,
    resetTimeout: 1_000,
    volumeThreshold: 2,
    errorThresholdPercentage: 50,
  });
  const send = (act: Act) => Promise.allSettled([breaker.fire(act)]);
  const state = () => (breaker.closed ? 'CLOSED' : breaker.halfOpen ? 'HALF_OPEN' : 'OPEN');
  return { send, state };
}

/** Work that ends when the test says so. */
function pending() {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  return { act: () => promise, succeed: () => resolve(undefined), fail: () => reject(new Error('reset')) };
}

/** The circuit has tripped while a call was under way, and a trial call is on its way. */
async function halfOpen() {
  const { send, state } = opossum();
  const early = pending();
  const sent = send(early.act);
  await send(bad);
  await send(bad);
  jest.advanceTimersByTime(1_000);
  void send(pending().act);
  expect(state()).toBe('HALF_OPEN');
  return { send, state, early, sent };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Each of these is what the breaker of hosts must not do, and its own specs hold it to. */
describe('why opossum guards Redis and no hosts', () => {
  it('it closes on the late success of a call that began before the trip', async () => {
    const { state, early, sent } = await halfOpen();
    early.succeed();
    await sent;
    expect(state()).toBe('CLOSED');
  });

  it('it opens again on the late failure of such a call', async () => {
    const { state, early, sent } = await halfOpen();
    early.fail();
    await sent;
    expect(state()).toBe('OPEN');
  });

  it('it stays in HALF_OPEN for good when its one trial call hangs', async () => {
    const { send, state } = await halfOpen();
    for (let minute = 0; minute < 10; minute += 1) {
      jest.advanceTimersByTime(60_000);
      await send(good);
    }
    expect(state()).toBe('HALF_OPEN');
  });

  it('it counts calls under way in the failure rate, so a host that fails and hangs stays in use', async () => {
    const { send, state } = opossum();
    for (let call = 0; call < 9; call += 1) void send(pending().act);
    for (let call = 0; call < 9; call += 1) await send(bad);
    expect(state()).toBe('CLOSED');
  });
});
