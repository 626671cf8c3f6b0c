import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Limit } from './limit.ts';
import type { Meter } from './meter.ts';
import { SlidingWindowMeter } from './sliding-window.meter.ts';
import { TokenBucketMeter } from './token-bucket.meter.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const WINDOW_MS = 1000;
const limitOf = (algorithm: Limit['algorithm'], limit: number, burst = limit): Limit => ({
  algorithm,
  limit,
  windowMs: WINDOW_MS,
  burst,
});

interface Taken {
  readonly at: number;
  units: number;
}

const steps = fc.array(
  fc.record({
    pauseMs: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 50, noNaN: true }),
      fc.integer({ min: 0, max: 1500 }),
    ),
    cost: fc.integer({ min: 1, max: 7 }),
    /** Comes again at the very moment it was told. */
    greedy: fc.boolean(),
    settle: fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.tuple(fc.nat(20), fc.double({ min: 0, max: 1, noNaN: true })) },
    ),
  }),
  { maxLength: 120, size: 'max' },
);

/** Plays asks against a meter. */
function play(meter: Meter, asks: typeof steps extends fc.Arbitrary<infer T> ? T : never) {
  /** What was taken, as it was settled in the end. */
  const taken: Taken[] = [];
  /** What was taken, and apart from it what was given back, when it was given back. */
  const moves: Taken[] = [];
  let now = 10;
  for (const { pauseMs, cost, greedy, settle } of asks) {
    now += pauseMs;
    if (greedy) now += meter.waitMs(now, cost);
    if (meter.waitMs(now, cost) === 0) {
      meter.take(now, cost);
      taken.push({ at: now, units: cost });
      moves.push({ at: now, units: cost });
    }
    const settled = settle && taken.at(-1 - settle[0]);
    if (settled) {
      const truth = settled.units * settle[1];
      meter.correct(now, settled.at, truth - settled.units);
      moves.push({ at: now, units: truth - settled.units });
      settled.units = truth;
    }
  }
  return { taken, moves };
}

function most(taken: readonly Taken[], bound: (spanMs: number) => number): number {
  let excess = -Infinity;
  taken.forEach((first, from) => {
    let sum = 0;
    for (const { at, units } of taken.slice(from)) {
      sum += units;
      excess = Math.max(excess, sum - bound(at - first.at));
    }
  });
  return excess;
}

describe('a token bucket', () => {
  it('lets at most burst + rate x time through in any span, what is given back counted when it is', () => {
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 7, max: 30 }),
        fc.integer({ min: 7, max: 60 }),
        (asks, rate, burst) => {
          const { moves } = play(new TokenBucketMeter(limitOf('token-bucket', rate, burst)), asks);
          expect(most(moves, (ms) => burst + (rate * ms) / WINDOW_MS)).toBeLessThan(1e-6);
        },
      ),
    );
  });

  it('refills at the rate, up to the burst', () => {
    const meter = new TokenBucketMeter(limitOf('token-bucket', 10, 5));
    meter.take(0, 5);
    expect(meter.waitMs(0, 1)).toBe(100);
    expect(meter.used(250)).toBe(2.5);
    expect(meter.used(60_000)).toBe(0);
    expect(meter.waitMs(60_000, 5)).toBe(0);
    expect(meter.waitMs(60_000, 15)).toBe(1_000);
  });

  it('gives back what was reserved too much, but not what has been refilled meanwhile', () => {
    const meter = new TokenBucketMeter(limitOf('token-bucket', 10, 10));
    meter.take(0, 10);
    meter.correct(0, 0, -4);
    expect(meter.used(0)).toBe(6);
    meter.take(5_000, 5);
    meter.correct(5_000, 0, -6);
    expect(meter.used(5_000)).toBe(5);
  });

  it('goes into debt when a call cost more than it had reserved', () => {
    const meter = new TokenBucketMeter(limitOf('token-bucket', 10, 10));
    meter.take(0, 10);
    meter.correct(0, 0, 20);
    expect(meter.waitMs(0, 1)).toBe(2_100);
  });
});

describe('a sliding window', () => {
  it('never holds more than the limit in any window, whatever is settled', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 7, max: 30 }), (asks, limit) => {
        const { taken } = play(new SlidingWindowMeter(limitOf('sliding-window', limit)), asks);
        expect(most(taken, (ms) => (ms < WINDOW_MS - 1e-6 ? limit : Infinity))).toBeLessThan(1e-6);
      }),
    );
  });

  it('gives back no more than was taken at that time', () => {
    const meter = new SlidingWindowMeter(limitOf('sliding-window', 1_000));
    meter.take(0, 100);
    meter.correct(50, 0, 200);
    meter.correct(60, 0, -250);
    expect(meter.used(60)).toBe(200);
    expect(meter.used(1_001)).toBe(200);
    expect(meter.used(1_051)).toBe(0);
  });

  it('holds a thousand slots, however much is taken and for how long', () => {
    const meter = new SlidingWindowMeter(limitOf('sliding-window', 1e9));
    const used = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = used();
    for (let now = 0; now < 100_000; now += 0.1) meter.take(now, 1);
    // A slot has two numbers.
    expect(used() - before).toBeLessThan(100_000);
    expect(meter.used(100_000)).toBeGreaterThan(9_900);
  });

  it('counts nothing for more than a thousandth of its window too long', () => {
    const meter = new SlidingWindowMeter(limitOf('sliding-window', 1e9));
    for (let now = 0; now < 5_000; now += 0.25) meter.take(now, 1);
    expect(meter.used(5_000)).toBeGreaterThanOrEqual(4_000 - 4);
    expect(meter.used(5_000)).toBeLessThanOrEqual(4_000 + 4);
    expect(meter.used(6_001)).toBe(0);
  });
});

describe.each([
  ['token-bucket', (limit: number) => new TokenBucketMeter(limitOf('token-bucket', limit))],
  ['sliding-window', (limit: number) => new SlidingWindowMeter(limitOf('sliding-window', limit))],
] as const)('%s', (_, build) => {
  it('says exactly when a refused ask would be admitted', () => {
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 7, max: 30 }),
        fc.integer({ min: 1, max: 7 }),
        (asks, limit, cost) => {
          const meter = build(limit);
          const { taken } = play(meter, asks);
          const now = (taken.at(-1)?.at ?? 0) + 0.3;
          const wait = meter.waitMs(now, cost);
          fc.pre(wait > 0);
          expect(meter.waitMs(now + wait - 0.01, cost)).toBeGreaterThan(0);
          expect(meter.waitMs(now + wait + 1e-6, cost)).toBe(0);
        },
      ),
    );
  });

  it('foresees when the last of a row of waiters goes, windows ahead', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 }), (limit, waiters) => {
        const meter = build(limit);
        meter.take(0.2, 1);
        const foreseen = meter.waitMs(0.5, waiters);
        let now = 0.5;
        for (let index = 0; index < waiters; index += 1) {
          now += meter.waitMs(now, 1);
          meter.take(now, 1);
        }
        expect(now - 0.5).toBeCloseTo(foreseen, 6);
      }),
    );
  });

  it('has nothing left after it was drained', () => {
    const meter = build(10);
    meter.take(0, 3);
    meter.drain(0);
    expect(meter.used(0)).toBe(10);
    expect(meter.waitMs(0, 1)).toBeGreaterThan(0);
  });
});
