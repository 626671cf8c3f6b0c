import { describe, expect, it } from '@jest/globals';
import { normalise, normaliseRows, pool, type Pooling } from './pooling.ts';

const PAD = 99;
const tokens = (mask: number[], ...values: number[][]) => ({
  data: new Float32Array(values.flat()),
  mask,
  rows: mask.length / 3,
  length: 3,
  dimensions: 2,
});

describe('pool', () => {
  const rightPadded = tokens([1, 1, 0], [1, 8], [3, 2], [PAD, PAD]);
  const leftPadded = tokens([0, 1, 1], [PAD, PAD], [1, 8], [3, 2]);

  it.each<[Pooling, number[]]>([
    ['mean', [2, 5]],
    ['cls', [1, 8]],
    ['lasttoken', [3, 2]],
    ['max', [3, 8]],
  ])('%s never sees padding, on whichever side it is', (pooling, expected) => {
    expect(Array.from(pool(rightPadded, pooling))).toEqual(expected);
    expect(Array.from(pool(leftPadded, pooling))).toEqual(expected);
  });

  it('keeps the rows of a batch apart', () => {
    const batch = tokens([1, 0, 0, 1, 1, 1], [1, 2], [PAD, PAD], [PAD, PAD], [3, 0], [3, 3], [3, 6]);
    expect(Array.from(pool(batch, 'mean'))).toEqual([1, 2, 3, 3]);
  });

  it('keeps negative values with max', () => {
    expect(Array.from(pool(tokens([1, 1, 0], [-5, -1], [-2, -4], [PAD, PAD]), 'max'))).toEqual([-2, -1]);
  });

  it.each<Pooling>(['mean', 'cls', 'lasttoken', 'max'])('%s of no token is zero, not NaN', (pooling) => {
    expect(Array.from(pool(tokens([0, 0, 0], [1, 1], [1, 1], [1, 1]), pooling))).toEqual([0, 0]);
  });
});

describe('normalise', () => {
  it('scales to length 1 and keeps the direction', () => {
    const vector = new Float32Array([3, -4]);
    normalise(vector);
    expect(vector[0]).toBeCloseTo(0.6, 6);
    expect(vector[1]).toBeCloseTo(-0.8, 6);
  });

  it('leaves zeros alone', () => {
    const vector = new Float32Array(3);
    normalise(vector);
    expect(Array.from(vector)).toEqual([0, 0, 0]);
  });

  it('takes each row of a batch for itself', () => {
    const rows = new Float32Array([2, 0, 0, 0, 0, 5]);
    normaliseRows(rows, 2);
    expect(Array.from(rows)).toEqual([1, 0, 0, 0, 0, 1]);
  });
});
