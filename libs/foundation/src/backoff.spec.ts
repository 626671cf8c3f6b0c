import { describe, expect, it } from '@jest/globals';
import { backoffMs, spreadWaitMs } from './backoff.ts';

const steps = [0, 1, 2, 3, 4, 2_000];

describe('backoffMs', () => {
  it('grows by its factor up to the longest delay, however many steps there were', () => {
    const options = { firstMs: 100, longestMs: 1_000 };
    expect(steps.map((step) => backoffMs(step, options))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(steps.map((step) => backoffMs(step, { ...options, factor: 1 }))).toEqual(steps.map(() => 100));
    expect(backoffMs(0, { firstMs: 5_000, longestMs: 1_000 })).toBe(1_000);
  });

  it('is shortened by chance, by no more than the jitter', () => {
    const at = (jitter: number, chance: number) =>
      backoffMs(1, { firstMs: 50, longestMs: 1_000, jitter }, () => chance);
    expect([at(1, 0), at(1, 0.75), at(0.1, 0.5), at(0, 0.5)]).toEqual([100, 25, 95, 100]);
  });
});

describe('spreadWaitMs', () => {
  it('adds up to a quarter and never takes away', () => {
    expect([0, 0.5, 1].map((chance) => spreadWaitMs(1_000, () => chance))).toEqual([1_000, 1_125, 1_250]);
  });
});
