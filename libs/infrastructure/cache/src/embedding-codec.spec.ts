import { describe, expect, it } from '@jest/globals';
import { decodeEmbedding, encodeEmbedding } from './embedding-codec.ts';

const embedding = { vector: Float32Array.of(1.5, -0.25, 3e-8), tokenCount: 70_000, truncated: true };

describe('a stored embedding', () => {
  it('comes back as it was', () => {
    expect(decodeEmbedding(encodeEmbedding(embedding))).toEqual(embedding);
    const whole = { ...embedding, truncated: false };
    expect(decodeEmbedding(encodeEmbedding(whole))).toEqual(whole);
  });

  it('has little-endian floats behind a header of 12 bytes', () => {
    const bytes = encodeEmbedding(embedding);
    expect(bytes.length).toBe(24);
    expect(bytes.readFloatLE(12)).toBe(1.5);
  });

  it('holds a part of a larger buffer and nothing around it, and shares no memory with either side', () => {
    const vector = new Float32Array([7, 1, -2, 7]).subarray(1, 3);
    const bytes = encodeEmbedding({ ...embedding, vector });
    vector.fill(0);
    const decoded = decodeEmbedding(bytes);
    bytes.fill(0);
    expect(decoded?.vector).toEqual(Float32Array.of(1, -2));
  });

  it('can be read from any place in a larger answer', () => {
    const bytes = encodeEmbedding(embedding);
    const unaligned = Buffer.concat([Buffer.from('$24'), bytes]).subarray(3);
    expect(decodeEmbedding(unaligned)).toEqual(embedding);
  });

  it('is a miss when any single bit of it is wrong', () => {
    const bytes = encodeEmbedding(embedding);
    // Bytes 2 and 3 are reserved, but covered by the checksum all the same.
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(decodeEmbedding(damaged)).toBeUndefined();
    }
  });

  it.each([[0], [4], [11], [12], [20], [23]])('is a miss when it is cut to %i bytes', (length) => {
    expect(decodeEmbedding(encodeEmbedding(embedding).subarray(0, length))).toBeUndefined();
  });
});
