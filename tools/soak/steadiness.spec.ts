import { describe, expect, it } from '@jest/globals';
import { growthOf } from './steadiness.ts';

const MB = 1_000_000;

describe('a heap', () => {
  it.each([
    ['is steady where it goes up and down', [40, 44, 41, 43, 40, 44, 42, 41, 43], false],
    ['is steady where it shrinks', [60, 50, 45, 41, 40, 40], false],
    ['grows where each part is larger than the one before', [40, 42, 44, 46, 48, 50], true],
    ['grows also where one part is small', [40, 41, 42, 46, 47, 12, 48, 49, 50], true],
  ])('%s', (_, sizes, grows) => {
    expect(growthOf(sizes.map((size) => size * MB)) !== undefined).toBe(grows);
  });
});
