import { describe, expect, it } from '@jest/globals';
import { batchBytes, costInBlocks, fitCost, longestWithin, rowsWithin } from './batch-cost.ts';

const COST = { perToken: 1_000, perPair: 96 };

describe('the cost of a batch', () => {
  it('is that of the only length that a graph takes, where a text is shorter', () => {
    expect(batchBytes({ ...COST, rowTokens: 100 }, 2, 8)).toBe(batchBytes(COST, 2, 100));
  });

  it('grows with the number of texts, and with the square of their length', () => {
    expect(batchBytes(COST, 1, 100)).toBe(100 * 1_000 + 100 * 100 * 96);
    expect(batchBytes(COST, 4, 100)).toBe(4 * batchBytes(COST, 1, 100));
  });

  it.each([
    [512, 64],
    [2_048, 2],
    [8_192, 0],
  ])('of %i tokens lets %i texts into a gigabyte at most', (length, atMost) => {
    const rows = rowsWithin(COST, length, 1e9);
    expect(rows).toBeLessThanOrEqual(atMost);
    expect(batchBytes(COST, rows, length)).toBeLessThanOrEqual(1e9);
    expect(batchBytes(COST, rows + 1, length)).toBeGreaterThan(1e9);
  });

  it.each([1e7, 1e9, 5e10])('names the longest text that fits into %d bytes', (budget) => {
    for (const cost of [COST, { perToken: 1_000, perPair: 0 }]) {
      const longest = longestWithin(cost, budget);
      expect(batchBytes(cost, 1, longest)).toBeLessThanOrEqual(budget);
      expect(batchBytes(cost, 1, longest + 1)).toBeGreaterThan(budget);
    }
  });
});

describe('fitCost', () => {
  const runOf = (length: number) => ({ length, bytes: batchBytes(COST, 1, length) });

  it('finds both figures from a short and a long run', () => {
    const { perToken, perPair } = fitCost(runOf(64), runOf(512), {});
    expect(perToken).toBeCloseTo(COST.perToken);
    expect(perPair).toBeCloseTo(COST.perPair);
  });

  it('never says less than the shape of the model does, where a run has reused memory', () => {
    const none = { length: 64, bytes: 0 };
    expect(fitCost(none, { length: 512, bytes: 0 }, { heads: 12, hidden: 384 })).toEqual({
      perPair: 12 * 4 * 2,
      perToken: 384 * 4 * 10,
    });
  });

  it('takes all for the cost of tokens where both runs are of one length', () => {
    expect(fitCost(runOf(8), runOf(8), {})).toEqual({ perPair: 0, perToken: batchBytes(COST, 1, 8) / 8 });
  });
});

describe('costInBlocks', () => {
  it('grows with the length, and with its square for masks alone', () => {
    const blocks = { rows: 256, valuesPerPair: 1 };
    const cost = costInBlocks(blocks, { heads: 12, hidden: 768 });
    expect(cost).toEqual({ perPair: 6, perToken: (7_680 + 5 * 256 * 12) * 4 });
    // Scores and their softmax alone would be 6.4 GB.
    expect(batchBytes(cost, 1, 8_192)).toBeLessThan(1.2e9);
  });

  // What processes grew by at their peak, in MiB: two layers of 12 heads (docs/performance.md).
  it.each([
    ['Qwen3', 384, 1, 1, 1_500, 97],
    ['Qwen3', 384, 1, 1, 4_096, 325],
    ['Qwen3', 384, 1, 1, 8_192, 663],
    ['Qwen3', 384, 1, 3, 1_000, 226],
    ['Qwen3', 384, 1, 8, 600, 350],
    ['Qwen3', 384, 1, 2, 4_096, 671],
    ['ModernBERT', 384, 2, 1, 4_096, 400],
    ['ModernBERT', 384, 2, 1, 6_000, 833],
    ['ModernBERT', 384, 2, 1, 8_192, 1_105],
    ['ModernBERT', 384, 2, 8, 600, 367],
    ['BERT', 768, 1, 1, 4_096, 336],
    ['BERT', 768, 1, 1, 8_192, 680],
  ])(
    'is not below what a %s of width %i took, nor far above',
    (_, hidden, valuesPerPair, rows, length, took) => {
      const cost = costInBlocks({ rows: 256, valuesPerPair }, { heads: 12, hidden });
      const planned = batchBytes(cost, rows, length) / 2 ** 20;
      expect(planned).toBeGreaterThanOrEqual(took);
      expect(planned).toBeLessThan(took * 1.65);
    },
  );
});
