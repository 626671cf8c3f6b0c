import { describe, expect, it } from '@jest/globals';
import { normalize, normalizeRows } from './normalize.ts';
import { POOLING_MODES, type PoolingMode } from './embedding-model.types.ts';
import { pool, type TokenSpan } from './pooling.ts';

const PAD = 99;
const tokens = (spans: TokenSpan[], ...values: number[][]) => ({
  data: new Float32Array(values.flat()),
  length: 3,
  dimensions: 2,
  spans,
});
const right = { first: 0, from: 0, to: 2 };

describe('pool', () => {
  const rightPadded = tokens([right], [1, 8], [4, 2], [PAD, PAD]);
  const leftPadded = tokens([{ first: 1, from: 1, to: 3 }], [PAD, PAD], [1, 8], [4, 2]);

  it.each<[PoolingMode, number[]]>([
    ['mean', [2.5, 5]],
    ['mean_sqrt_len_tokens', [5 / Math.SQRT2, 10 / Math.SQRT2]],
    ['weightedmean', [3, 4]],
    ['cls', [1, 8]],
    ['lasttoken', [4, 2]],
    ['max', [4, 8]],
  ])('%s never sees padding, on whichever side it is', (mode, expected) => {
    for (const padded of [rightPadded, leftPadded])
      pool(padded, [mode]).forEach((value, index) => expect(value).toBeCloseTo(expected[index] as number, 6));
  });

  it('puts several modes one after the other', () => {
    expect([...pool(rightPadded, ['lasttoken', 'cls'])]).toEqual([4, 2, 1, 8]);
  });

  it('leaves the tokens of a prompt out, and weighs the others by their place in the whole text', () => {
    const withPrompt = tokens([{ first: 0, from: 1, to: 3 }], [PAD, PAD], [1, 8], [6, 3]);
    expect([...pool(withPrompt, ['mean'])]).toEqual([3.5, 5.5]);
    expect([...pool(withPrompt, ['cls'])]).toEqual([1, 8]);
    expect([...pool(withPrompt, ['weightedmean'])]).toEqual([4, 5]);
  });

  it('keeps the rows of a batch apart', () => {
    const spans = [
      { first: 0, from: 0, to: 1 },
      { first: 0, from: 0, to: 3 },
    ];
    const batch = tokens(spans, [1, 2], [PAD, PAD], [PAD, PAD], [3, 0], [3, 3], [3, 6]);
    expect([...pool(batch, ['mean'])]).toEqual([1, 2, 3, 3]);
  });

  it('keeps negative values with max, and what is no number', () => {
    expect([...pool(tokens([right], [-5, -1], [-2, -4], [PAD, PAD]), ['max'])]).toEqual([-2, -1]);
    expect([...pool(tokens([right], [NaN, -1], [-2, NaN], [PAD, PAD]), ['max'])]).toEqual([NaN, NaN]);
  });

  it.each(POOLING_MODES)('%s of no token is zero, not NaN', (mode) => {
    const none = tokens([{ first: 0, from: 0, to: 0 }], [1, 1], [1, 1], [1, 1]);
    expect([...pool(none, [mode])]).toEqual([0, 0]);
  });
});

describe('normalize', () => {
  it('scales to length 1 and keeps the direction', () => {
    const vector = new Float32Array([3, -4]);
    normalize(vector);
    expect(vector[0]).toBeCloseTo(0.6, 6);
    expect(vector[1]).toBeCloseTo(-0.8, 6);
  });

  it('leaves zeros alone', () => {
    const vector = new Float32Array(3);
    normalize(vector);
    expect([...vector]).toEqual([0, 0, 0]);
  });

  it('takes each row of a batch for itself', () => {
    const rows = new Float32Array([2, 0, 0, 0, 0, 5]);
    normalizeRows(rows, 2);
    expect([...rows]).toEqual([1, 0, 0, 0, 0, 1]);
  });
});
