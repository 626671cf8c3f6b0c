import { describe, expect, it } from '@jest/globals';
import { crc32 } from 'node:zlib';
import { ageSecondsOf, decodeEmbedding, encodeEmbedding } from './embedding-codec.ts';

const KEY = '4:key';
const embedding = { vector: Float32Array.of(1.5, -0.25, 3e-8), tokenCount: 70_000, truncated: true };

describe('a stored embedding', () => {
  it('comes back as it was', () => {
    expect(decodeEmbedding(KEY, encodeEmbedding(KEY, embedding))).toEqual(embedding);
    const whole = { ...embedding, truncated: false };
    expect(decodeEmbedding(KEY, encodeEmbedding(KEY, whole))).toEqual(whole);
  });

  it('has little-endian floats behind a header of 16 bytes', () => {
    const bytes = encodeEmbedding(KEY, embedding);
    expect(bytes.length).toBe(28);
    expect(bytes.readFloatLE(16)).toBe(1.5);
  });

  it('is a miss without a value, and in another layout', () => {
    expect(
      decodeEmbedding(KEY, encodeEmbedding(KEY, { ...embedding, vector: new Float32Array() })),
    ).toBeUndefined();
    const other = encodeEmbedding(KEY, embedding);
    other.writeUInt8(2, 0);
    other.writeUInt32LE(crc32(other.subarray(12), crc32(other.subarray(0, 8), crc32(KEY))), 8);
    expect(decodeEmbedding(KEY, other)).toBeUndefined();
  });

  it('is a miss under another key', () => {
    expect(decodeEmbedding('4:another', encodeEmbedding(KEY, embedding))).toBeUndefined();
  });

  it('says how old it is', () => {
    const bytes = encodeEmbedding(KEY, embedding, 'full', 1_000_000_000_000);
    expect(ageSecondsOf(bytes, 1_000_000_060_000)).toBe(60);
    expect(ageSecondsOf(encodeEmbedding(KEY, embedding))).toBeLessThan(60);
  });

  it('holds a part of a larger buffer and nothing around it, and shares no memory with either side', () => {
    const vector = new Float32Array([7, 1, -2, 7]).subarray(1, 3);
    const bytes = encodeEmbedding(KEY, { ...embedding, vector });
    vector.fill(0);
    const decoded = decodeEmbedding(KEY, bytes);
    bytes.fill(0);
    expect(decoded?.vector).toEqual(Float32Array.of(1, -2));
  });

  it('can be read from any place in a larger answer', () => {
    const bytes = encodeEmbedding(KEY, embedding);
    const unaligned = Buffer.concat([Buffer.from('$24'), bytes]).subarray(3);
    expect(decodeEmbedding(KEY, unaligned)).toEqual(embedding);
  });

  it('is a miss when any single bit of it is wrong', () => {
    const bytes = encodeEmbedding(KEY, embedding);
    // Byte 3 is reserved, but covered by the checksum all the same.
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(decodeEmbedding(KEY, damaged)).toBeUndefined();
    }
  });

  it.each([[0], [4], [11], [12], [16], [20], [27]])('is a miss when it is cut to %i bytes', (length) => {
    expect(decodeEmbedding(KEY, encodeEmbedding(KEY, embedding).subarray(0, length))).toBeUndefined();
  });
});

it.each([
  ['full', 17],
  ['full', 27],
  ['fp16', 21],
  ['int8', 17],
  ['int8', 20],
] as const)('%s cut to %i bytes is a miss, also with the checksum of what is left', (format, length) => {
  const bytes = encodeEmbedding(KEY, embedding, format).subarray(0, length);
  bytes.writeUInt32LE(crc32(bytes.subarray(12), crc32(bytes.subarray(0, 8), crc32(KEY))), 8);
  expect(decodeEmbedding(KEY, bytes, format)).toBeUndefined();
});

describe('a smaller number format', () => {
  /** Seeded, of the length that the vectors of a model have: 384 values, the length of all is 1. */
  const vector = Float32Array.from(
    { length: 384 },
    (_, index) => Math.sin(index * 12.9898) * Math.cos(index),
  );
  const length = Math.hypot(...vector);
  const unit = vector.map((value) => value / length);
  const stored = (values: Float32Array, format: 'fp16' | 'int8') =>
    decodeEmbedding(KEY, encodeEmbedding(KEY, { ...embedding, vector: values }, format), format)
      ?.vector as Float32Array;
  const cosine = (one: Float32Array, other: Float32Array) =>
    one.reduce((sum, value, index) => sum + value * (other[index] as number), 0) /
    (Math.hypot(...one) * Math.hypot(...other));

  it.each([
    ['full', 4 * 384],
    ['fp16', 2 * 384],
    ['int8', 4 + 384],
  ] as const)('%s takes %i bytes beside the header', (format, size) => {
    expect(encodeEmbedding(KEY, { ...embedding, vector: unit }, format)).toHaveLength(16 + size);
  });

  it('fp16 is off by half of a thousandth of each value, or 3e-8, and keeps the cosine to 1e-7', () => {
    for (const scale of [1, 1e-3, 1e-6, 1e4]) {
      const values = unit.map((value) => value * scale);
      stored(values, 'fp16').forEach((value, index) => {
        const exact = values[index] as number;
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.max(Math.abs(exact) / 2_048, 2 ** -25));
      });
    }
    expect(1 - cosine(stored(unit, 'fp16'), unit)).toBeLessThan(1e-7);
  });

  it('int8 is off by 1/254 of the largest value, and keeps the cosine to 1e-4', () => {
    for (const scale of [1, 1e-20, 1e20]) {
      const values = unit.map((value) => value * scale);
      const largest = Math.max(...values.map(Math.abs));
      stored(values, 'int8').forEach((value, index) =>
        expect(Math.abs(value - (values[index] as number))).toBeLessThanOrEqual((largest / 254) * 1.0001),
      );
    }
    expect(1 - cosine(stored(unit, 'int8'), unit)).toBeLessThan(1e-4);
    expect(stored(new Float32Array(4), 'int8')).toEqual(new Float32Array(4));
  });

  it('that cannot hold a vector leaves it in full', () => {
    const large = Float32Array.of(70_000, 1.0001);
    expect(stored(large, 'fp16')).toEqual(large);
    const bytesOf = (vector: Float32Array, format: 'fp16' | 'int8') =>
      encodeEmbedding(KEY, { ...embedding, vector }, format).length;
    expect(bytesOf(Float32Array.of(65_504, 1), 'fp16')).toBe(16 + 2 * 2);
    expect(bytesOf(large, 'int8')).toBe(16 + 4 + 2);
  });

  it('is a miss for who wants a more exact one, and what is more exact is none', () => {
    const of = (format: 'full' | 'fp16' | 'int8') => encodeEmbedding(KEY, embedding, format);
    expect(decodeEmbedding(KEY, of('fp16'), 'full')).toBeUndefined();
    expect(decodeEmbedding(KEY, of('int8'), 'fp16')).toBeUndefined();
    expect(decodeEmbedding(KEY, of('full'), 'int8')).toEqual(embedding);
  });

  it('is a miss when any single bit of it is wrong', () => {
    for (const format of ['fp16', 'int8'] as const) {
      const bytes = encodeEmbedding(KEY, embedding, format);
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const damaged = Buffer.from(bytes);
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(decodeEmbedding(KEY, damaged, format)).toBeUndefined();
      }
    }
  });
});
