import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Opossum from 'opossum';
import { CircuitBreaker } from './circuit-breaker.ts';

const context = { id: 'call', signal: new AbortController().signal };
type Act = () => Promise<unknown>;
const good: Act = () => Promise.resolve();
const bad: Act = () => Promise.reject(new Error('reset'));

/** The same story for both: how does each say which state it is in? */
function both() {
  const theirs = new Opossum((act: Act) => act(), {
    timeout: false,
    resetTimeout: 1_000,
    volumeThreshold: 2,
    errorThresholdPercentage: 50,
  });
  const ours = new CircuitBreaker({
    name: 'host',
    config: {
      resetTimeoutMs: 1_000,
      resetJitter: 0,
      successThreshold: 1,
      trialTimeoutMs: 5_000,
      failureRate: { threshold: 0.5, minimumCalls: 2 },
    },
  });
  const stateOfTheirs = () => (theirs.closed ? 'CLOSED' : theirs.halfOpen ? 'HALF_OPEN' : 'OPEN');
  const send = (act: Act) =>
    Promise.allSettled([theirs.fire(act), ours.execute(act, context)]).then(() => undefined);
  return { send, states: () => ({ opossum: stateOfTheirs(), ours: ours.state }) };
}

/** Work that ends when told so. */
function pending() {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  return { act: () => promise, succeed: () => resolve(undefined), fail: () => reject(new Error('reset')) };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe("why the states are not opossum's", () => {
  it('it closes on the late success of a call that began before the trip', async () => {
    const { send, states } = both();
    const early = pending();
    const sent = send(early.act);
    await send(bad);
    await send(bad);
    jest.advanceTimersByTime(1_000);
    void send(pending().act);
    expect(states()).toEqual({ opossum: 'HALF_OPEN', ours: 'HALF_OPEN' });
    early.succeed();
    await sent;
    expect(states()).toEqual({ opossum: 'CLOSED', ours: 'HALF_OPEN' });
  });

  it('it opens again on the late failure of a call that began before the trip', async () => {
    const { send, states } = both();
    const early = pending();
    const sent = send(early.act);
    await send(bad);
    await send(bad);
    jest.advanceTimersByTime(1_000);
    void send(pending().act);
    early.fail();
    await sent;
    expect(states()).toEqual({ opossum: 'OPEN', ours: 'HALF_OPEN' });
  });

  it('it stays in HALF_OPEN for good when its one probe hangs', async () => {
    const { send, states } = both();
    await send(bad);
    await send(bad);
    jest.advanceTimersByTime(1_000);
    void send(pending().act);
    jest.advanceTimersByTime(60_000);
    await send(good);
    expect(states()).toEqual({ opossum: 'HALF_OPEN', ours: 'OPEN' });
    jest.advanceTimersByTime(60_000);
    await send(good);
    expect(states()).toEqual({ opossum: 'HALF_OPEN', ours: 'CLOSED' });
  });

  it('it counts calls under way in the failure rate, so a host that fails and hangs stays in use', async () => {
    const { send, states } = both();
    for (let call = 0; call < 9; call += 1) void send(pending().act);
    for (let call = 0; call < 9; call += 1) await send(bad);
    expect(states()).toEqual({ opossum: 'CLOSED', ours: 'OPEN' });
  });
});
