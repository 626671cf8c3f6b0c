import { describe, expect, it } from '@jest/globals';
import { bytesOf, OUTPUT_TYPES, shapeVector } from './vector-output.ts';

const UNIT = Float32Array.of(0.6, -0.8, 0, 0, 0, 0, 0, 0, 0, 0);
const DOUBLE = UNIT.map((value) => value * 2);
const dimensions = UNIT.length;

describe('a vector', () => {
  it('is sent as the model gives it, or at length 1', () => {
    expect(shapeVector(DOUBLE, { dimensions, type: 'float' })).toEqual(DOUBLE);
    const unit = shapeVector(DOUBLE, { dimensions, type: 'float', normalize: true });
    unit.forEach((value, index) => expect(value).toBeCloseTo(UNIT[index] as number, 6));
  });

  it.each([
    ['int8', [76, -102, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['uint8', [204, 26, 128, 128, 128, 128, 128, 128, 128, 128]],
    ['ubinary', [0b1000_0000, 0]],
    ['binary', [0, -128]],
  ] as const)('is %s of its direction, whatever its length', (type, values) => {
    for (const vector of [UNIT, DOUBLE]) {
      expect([...shapeVector(vector, { dimensions, type })]).toEqual(values);
    }
  });

  it('has its bits most significant first', () => {
    const bits = Float32Array.of(1, -1, 1, -1, -1, -1, -1, 1, 0.1);
    expect([...shapeVector(bits, { dimensions: 9, type: 'ubinary' })]).toEqual([0b1010_0001, 0b1000_0000]);
  });

  it('never leaves the range of a byte', () => {
    const one = Float32Array.of(1, 0);
    const minus = Float32Array.of(-1, 0);
    expect([...shapeVector(one, { dimensions: 2, type: 'int8' })]).toEqual([127, 0]);
    expect([...shapeVector(minus, { dimensions: 2, type: 'int8' })]).toEqual([-127, 0]);
    expect([...shapeVector(minus, { dimensions: 2, type: 'uint8' })]).toEqual([1, 128]);
  });

  it.each(OUTPUT_TYPES)('as %s is as long as stated, cut or not', (type) => {
    for (const length of [dimensions, 9, 8, 1]) {
      const shape = { dimensions: length, type };
      expect(shapeVector(DOUBLE, shape).byteLength).toBe(bytesOf(shape));
    }
  });

  it('is cut and nothing else where it is not to be scaled', () => {
    const shape = { dimensions: 2, type: 'float', normalize: false } as const;
    expect(shapeVector(DOUBLE, shape)).toEqual(DOUBLE.slice(0, 2));
  });

  it('of the cache is not changed', () => {
    for (const type of OUTPUT_TYPES) shapeVector(DOUBLE, { dimensions: 4, type, normalize: true });
    expect(DOUBLE).toEqual(UNIT.map((value) => value * 2));
  });
});
