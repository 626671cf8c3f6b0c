import { describe, expect, it } from '@jest/globals';
import { groupByLength } from './length-groups.ts';

describe('groupByLength', () => {
  it('runs texts of one length together', () => {
    expect(groupByLength(new Array<number>(32).fill(16))).toEqual([Array.from({ length: 32 }, (_, i) => i)]);
  });

  it('runs a long text apart from many short ones', () => {
    expect(groupByLength([5, 5, 128, 5, 5])).toEqual([[0, 1, 3, 4], [2]]);
  });

  it('pads where a further run would cost more', () => {
    expect(groupByLength([5, 7, 6, 9])).toEqual([[0, 2, 1, 3]]);
  });

  it('holds every text exactly once, whatever the lengths', () => {
    const lengths = Array.from({ length: 200 }, (_, index) => (index * 37) % 129);
    const groups = groupByLength(lengths);
    expect(groups.flat().toSorted((a, b) => a - b)).toEqual(lengths.map((_, index) => index));
    const padded = groups.reduce(
      (sum, group) => sum + group.length * Math.max(...group.map((index) => lengths[index] as number)),
      0,
    );
    const real = lengths.reduce((sum, length) => sum + length, 0);
    // Padded all to the longest it would be 1.99 times the real tokens.
    expect(padded / real).toBeLessThan(1.2);
  });

  it('puts no more texts into a run than its longest one allows, and at least one', () => {
    const lengths = [...new Array<number>(10).fill(100), 900, 901];
    const groups = groupByLength(lengths, (longest) => (longest > 500 ? 0 : 4));
    expect(groups.map((group) => group.length).toSorted()).toEqual([1, 1, 2, 4, 4]);
  });

  it('gives no run for no text', () => {
    expect(groupByLength([])).toEqual([]);
  });
});
