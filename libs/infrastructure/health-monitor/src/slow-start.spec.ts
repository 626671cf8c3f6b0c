import { describe, expect, it } from '@jest/globals';
import { slowStartShare } from './slow-start.ts';

describe('slowStartShare', () => {
  it.each([
    [0, 0.1],
    [500, 0.1],
    [2_500, 0.25],
    [5_000, 0.5],
    [9_999, 0.9999],
    [10_000, 1],
    [Infinity, 1],
  ])('after %d of 10,000 ms is %d', (sinceReturnMs, share) => {
    expect(slowStartShare(sinceReturnMs, 10_000)).toBeCloseTo(share);
  });

  it('is whole at once when it is switched off', () => {
    expect(slowStartShare(0, 0)).toBe(1);
  });
});
