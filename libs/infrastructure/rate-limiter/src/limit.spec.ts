import { describe, expect, it } from '@jest/globals';
import { type Limit, shareOf } from './limit.ts';

const limitOf = (limit: number, burst = limit): Limit => ({
  algorithm: 'token-bucket',
  limit,
  windowMs: 1_000,
  burst,
});

describe('the share of a limit', () => {
  it('is the same part of limit and burst', () => {
    expect(shareOf(limitOf(100, 50), 4)).toEqual(limitOf(25, 12.5));
    expect(shareOf(limitOf(100), 1)).toEqual(limitOf(100));
  });

  it('below one unit is one unit in a window as much longer', () => {
    expect(shareOf(limitOf(2, 2), 8)).toEqual({ ...limitOf(1), windowMs: 4_000 });
  });
});
