import { describe, expect, it } from '@jest/globals';
import { cosineSimilarity, cutDimensions, toBase64 } from './vectors.ts';

describe('cutDimensions', () => {
  it('keeps the first values and scales them to length 1', () => {
    const cut = cutDimensions(new Float32Array([0.3, 0.4, 0.5, 0.7]), 2);
    expect(cut).toHaveLength(2);
    expect(cut[0]).toBeCloseTo(0.6, 6);
    expect(cut[1]).toBeCloseTo(0.8, 6);
  });

  it('leaves a vector that is not cut as it is, and never hands out the original', () => {
    const vector = new Float32Array([3, 4]);
    const same = cutDimensions(vector, 2);
    expect(Array.from(same)).toEqual([3, 4]);
    same[0] = 0;
    expect(vector[0]).toBe(3);
  });
});

it.each([0, -1, 1.5, 3, Number.NaN])('refuses to cut 2 values to %d', (dimensions) => {
  expect(() => cutDimensions(new Float32Array(2), dimensions)).toThrow('a whole number from 1 to 2');
});

describe('toBase64', () => {
  it('writes little-endian float32', () => {
    expect(toBase64(new Float32Array([1, -2]))).toBe(
      Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]).toString('base64'),
    );
  });

  it('writes a part of a larger buffer, and nothing around it', () => {
    const part = new Float32Array([7, 1, -2, 7]).subarray(1, 3);
    expect(toBase64(part)).toBe(toBase64(new Float32Array([1, -2])));
  });
});

describe('cosineSimilarity', () => {
  const at = (...values: number[]) => new Float32Array(values);

  it.each([
    ['the same direction', at(1, 2), at(10, 20), 1],
    ['the opposite', at(1, 2), at(-1, -2), -1],
    ['a right angle', at(1, 0), at(0, 5), 0],
    ['45 degrees', at(1, 0), at(1, 1), Math.SQRT1_2],
    ['zeros', at(0, 0), at(1, 1), 0],
  ])('of %s', (_, left, right, expected) => {
    expect(cosineSimilarity(left, right)).toBeCloseTo(expected, 6);
  });

  it('never leaves the range of a cosine, whatever is rounded', () => {
    for (let index = 1; index < 500; index += 1) {
      const left = Float32Array.from({ length: 7 }, (_, place) => Math.sin(index * (place + 1)));
      const cosine = cosineSimilarity(
        left,
        left.map((value) => value * index * 0.37),
      );
      expect(cosine).toBeLessThanOrEqual(1);
      expect(cosine).toBeGreaterThan(0.999_999);
    }
  });

  it('refuses vectors of unlike length', () => {
    expect(() => cosineSimilarity(at(1), at(1, 2))).toThrow(
      'vectors of 1 and 2 dimensions cannot be compared',
    );
  });
});
