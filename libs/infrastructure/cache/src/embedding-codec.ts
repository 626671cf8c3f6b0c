import { crc32 } from 'node:zlib';
import type { VectorFormat } from './cache.config.ts';
import type { CachedEmbedding } from './cached-embedding.ts';
import { fromHalf, LARGEST_HALF, toHalf } from './half-float.ts';

/**
 * Layout, little-endian: layout (1 byte), flags (1), number format (1), reserved (1), token count (4), CRC-32 of all the rest
 * (4), vector. `full` has 4 bytes a value, copied as they lie in memory: every platform that onnxruntime-node exists for is
 * little-endian. `fp16` has 2 bytes a value. `int8` has one, behind the number (4 bytes) that each is to be multiplied with.
 */
const LAYOUT = 1;
const TRUNCATED = 1;
const FORMAT_AT = 2;
const CHECKSUM_AT = 8;
const HEADER_BYTES = 12;
const FORMATS: readonly VectorFormat[] = ['full', 'fp16', 'int8'];
const SCALE_BYTES = 4;
const INT8_MAX = 127;

/** The bytes under which an embedding is stored. A vector that 16 bits cannot hold is stored in full. */
export function encodeEmbedding(
  { vector, tokenCount, truncated }: CachedEmbedding,
  wanted: VectorFormat = 'full',
): Buffer {
  const format = wanted === 'fp16' && largestOf(vector) > LARGEST_HALF ? 'full' : wanted;
  const values = writeVector(vector, format);
  const bytes = Buffer.alloc(HEADER_BYTES + values.length);
  bytes.writeUInt8(LAYOUT, 0);
  bytes.writeUInt8(truncated ? TRUNCATED : 0, 1);
  bytes.writeUInt8(FORMATS.indexOf(format), FORMAT_AT);
  bytes.writeUInt32LE(tokenCount, 4);
  bytes.set(values, HEADER_BYTES);
  bytes.writeUInt32LE(checksum(bytes), CHECKSUM_AT);
  return bytes;
}

/**
 * The embedding in these bytes; undefined when they are damaged, of another layout, or less exact than `wanted`, which a
 * replica of another configuration has written: a miss, never a wrong vector.
 */
export function decodeEmbedding(bytes: Buffer, wanted: VectorFormat = 'full'): CachedEmbedding | undefined {
  if (bytes.length <= HEADER_BYTES || bytes.readUInt8(0) !== LAYOUT) return undefined;
  if (bytes.readUInt32LE(CHECKSUM_AT) !== checksum(bytes)) return undefined;
  const format = FORMATS[bytes.readUInt8(FORMAT_AT)];
  if (format !== 'full' && format !== wanted) return undefined;
  const vector = readVector(bytes.subarray(HEADER_BYTES), format);
  return { vector, tokenCount: bytes.readUInt32LE(4), truncated: bytes.readUInt8(1) === TRUNCATED };
}

function writeVector(vector: Float32Array, format: VectorFormat): Uint8Array {
  switch (format) {
    case 'full':
      return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    case 'fp16': {
      const bytes = Buffer.alloc(vector.length * 2);
      vector.forEach((value, index) => bytes.writeUInt16LE(toHalf(value), index * 2));
      return bytes;
    }
    case 'int8': {
      const bytes = Buffer.alloc(SCALE_BYTES + vector.length);
      bytes.writeFloatLE(largestOf(vector) / INT8_MAX, 0);
      // As it was stored: the values are multiplied with that one.
      const scale = bytes.readFloatLE(0) || 1;
      vector.forEach((value, index) => bytes.writeInt8(levelOf(value / scale), SCALE_BYTES + index));
      return bytes;
    }
  }
}

function readVector(bytes: Buffer, format: VectorFormat): Float32Array {
  switch (format) {
    case 'full': {
      const vector = new Float32Array(bytes.length / 4);
      new Uint8Array(vector.buffer).set(bytes);
      return vector;
    }
    case 'fp16':
      return Float32Array.from({ length: bytes.length / 2 }, (_, index) =>
        fromHalf(bytes.readUInt16LE(index * 2)),
      );
    case 'int8': {
      const scale = bytes.readFloatLE(0);
      return Float32Array.from(
        { length: bytes.length - SCALE_BYTES },
        (_, index) => bytes.readInt8(SCALE_BYTES + index) * scale,
      );
    }
  }
}

function levelOf(value: number): number {
  return Math.max(-INT8_MAX, Math.min(INT8_MAX, Math.round(value)));
}

function largestOf(vector: Float32Array): number {
  return vector.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, CHECKSUM_AT)));
}
