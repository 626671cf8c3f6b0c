import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { Algorithm, Limit } from './limit.ts';
import { LocalLimitStore } from './local-limit-store.ts';
import { SlidingWindowMeter } from './sliding-window.meter.ts';
import { TokenBucketMeter } from './token-bucket.meter.ts';

afterEach(() => void jest.restoreAllMocks());

const asks = fc.array(
  fc.record({
    pauseMs: fc.oneof(fc.constant(0), fc.nat(100), fc.nat(3_000)),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    cost: fc.integer({ min: 1, max: 5 }),
  }),
  { maxLength: 200, size: 'max' },
);

describe.each<Algorithm>(['token-bucket', 'sliding-window'])('a store of %s keys', (algorithm) => {
  const limit: Limit = { algorithm, limit: 5, windowMs: 1_000, burst: 5 };
  const newMeter = () =>
    algorithm === 'token-bucket' ? new TokenBucketMeter(limit) : new SlidingWindowMeter(limit);

  it('decides as meters do that are never dropped, and drops what is idle', () => {
    fc.assert(
      fc.property(asks, (all) => {
        let now = 1_000;
        jest.spyOn(performance, 'now').mockImplementation(() => now);
        const store = new LocalLimitStore(limit);
        const meters = { a: newMeter(), b: newMeter(), c: newMeter(), d: newMeter() };
        for (const { pauseMs, key, cost } of all) {
          now += pauseMs;
          const expected = meters[key].waitMs(now, cost);
          if (expected === 0) meters[key].take(now, cost);
          expect(store.decideNow(key, [{ cost, patienceMs: 0 }], 0).waits).toEqual([expected]);
        }
        now += 10_000;
        for (let look = 0; look < 100; look += 1) store.decideNow('e', [{ cost: 6, patienceMs: 0 }], 0);
        expect(store.getStatus().keys).toBe(1);
      }),
    );
  });

  it('takes of a cost above its capacity no more than that, and gives no more back', () => {
    let now = 1_000;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const store = new LocalLimitStore(limit);
    const { at: takenAt, waits } = store.decideNow('a', [{ cost: 16, patienceMs: 0 }], 0);
    expect(waits).toEqual([0]);
    expect(store.peekWaitMs('a', 1)).toBeGreaterThan(0);
    store.correct('a', { takenAt, from: 16, to: 12 });
    expect(store.peekWaitMs('a', 1)).toBeGreaterThan(0);
    store.correct('a', { takenAt, from: 12, to: 4 });
    expect(store.peekWaitMs('a', 1)).toBe(0);
    expect(store.peekWaitMs('a', 2)).toBeGreaterThan(0);
    store.correct('a', { takenAt, from: 4, to: 0 });
    now += 1;
    expect(store.decideNow('a', [{ cost: 5, patienceMs: 0 }], 0).waits).toEqual([0]);
  });

  it('foresees the wait behind such a cost as what it is really charged', () => {
    jest.spyOn(performance, 'now').mockImplementation(() => 1_000);
    const store = new LocalLimitStore(limit);
    store.decideNow('a', [{ cost: 5, patienceMs: 0 }], 0);
    const ask = (cost: number) => ({ cost, patienceMs: 60_000 });
    const behindFull = store.decideNow('a', [ask(5), ask(1)], 0).waits[1];
    expect(store.decideNow('a', [ask(500), ask(1)], 0).waits[1]).toBe(behindFull);
  });
});
