import { crc32 } from 'node:zlib';
import type { VectorFormat } from './cache.config.ts';
import type { CachedEmbedding } from './cached-embedding.ts';
import { fromHalf, LARGEST_HALF, toHalf } from './half-float.ts';

/**
 * Layout, little-endian: layout (1 byte), flags (1), number format (1), reserved (1), token count (4), CRC-32 of the
 * key and all the rest (4), when it was stored in seconds since 1970 (4), vector. The key is in no field: with it in the checksum a
 * value that has come under another key is damaged, not the vector of another text. `full` has 4 bytes a value, copied as they lie in memory: every
 * platform that onnxruntime-node exists for is little-endian. `fp16` has 2 bytes a value. `int8` has one, behind the number (4
 * bytes) that each is to be multiplied with.
 */
const LAYOUT = 3;
const TRUNCATED = 1;
const FORMAT_AT = 2;
const CHECKSUM_AT = 8;
const STORED_AT = 12;
const HEADER_BYTES = 16;
const FORMATS: readonly VectorFormat[] = ['full', 'fp16', 'int8'];
const SCALE_BYTES = 4;
const INT8_MAX = 127;

/** The bytes that are stored for an embedding under this key. A vector that 16 bits cannot hold is stored in full. */
export function encodeEmbedding(
  key: string,
  { vector, tokenCount, truncated }: CachedEmbedding,
  wanted: VectorFormat = 'full',
  storedAtMs = Date.now(),
): Buffer {
  const format = wanted === 'fp16' && largestOf(vector) > LARGEST_HALF ? 'full' : wanted;
  const values = writeVector(vector, format);
  const bytes = Buffer.alloc(HEADER_BYTES + values.length);
  bytes.writeUInt8(LAYOUT, 0);
  bytes.writeUInt8(truncated ? TRUNCATED : 0, 1);
  bytes.writeUInt8(FORMATS.indexOf(format), FORMAT_AT);
  bytes.writeUInt32LE(tokenCount, 4);
  bytes.writeUInt32LE(Math.floor(storedAtMs / 1000), STORED_AT);
  bytes.set(values, HEADER_BYTES);
  bytes.writeUInt32LE(checksum(key, bytes), CHECKSUM_AT);
  return bytes;
}

/**
 * The embedding in these bytes; undefined when they are damaged, of another key or layout, or less exact than `wanted`, which a
 * replica of another configuration has written: a miss, never a wrong vector.
 */
export function decodeEmbedding(
  key: string,
  bytes: Buffer,
  wanted: VectorFormat = 'full',
): CachedEmbedding | undefined {
  if (bytes.length <= HEADER_BYTES || bytes.readUInt8(0) !== LAYOUT) return undefined;
  if (bytes.readUInt32LE(CHECKSUM_AT) !== checksum(key, bytes)) return undefined;
  const format = FORMATS[bytes.readUInt8(FORMAT_AT)];
  if (format !== 'full' && format !== wanted) return undefined;
  const values = bytes.subarray(HEADER_BYTES);
  if (!isWhole(values, format)) return undefined;
  const vector = readVector(values, format);
  return { vector, tokenCount: bytes.readUInt32LE(4), truncated: bytes.readUInt8(1) === TRUNCATED };
}

/** How long ago these bytes were stored, in seconds, by the clocks of whoever stored them and of this process. */
export function ageSecondsOf(bytes: Buffer, nowMs = Date.now()): number {
  return nowMs / 1000 - bytes.readUInt32LE(STORED_AT);
}

/** Whether so many bytes are a number of whole values, one at least. */
function isWhole({ length }: Buffer, format: VectorFormat): boolean {
  switch (format) {
    case 'full':
      return length % 4 === 0;
    case 'fp16':
      return length % 2 === 0;
    case 'int8':
      return length > SCALE_BYTES;
  }
}

// Plain loops over typed arrays: a large call has millions of values, and everybody else waits meanwhile.
function writeVector(vector: Float32Array, format: VectorFormat): Uint8Array {
  switch (format) {
    case 'full':
      return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    case 'fp16': {
      const halves = new Uint16Array(vector.length);
      for (let index = 0; index < vector.length; index += 1) halves[index] = toHalf(vector[index] as number);
      return new Uint8Array(halves.buffer);
    }
    case 'int8': {
      const bytes = Buffer.alloc(SCALE_BYTES + vector.length);
      bytes.writeFloatLE(largestOf(vector) / INT8_MAX, 0);
      // As it was stored: the values are multiplied with that one.
      const scale = bytes.readFloatLE(0) || 1;
      const levels = new Int8Array(bytes.buffer, bytes.byteOffset + SCALE_BYTES, vector.length);
      for (let index = 0; index < vector.length; index += 1)
        levels[index] = levelOf((vector[index] as number) / scale);
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
    case 'fp16': {
      const halves = new Uint16Array(bytes.length / 2);
      new Uint8Array(halves.buffer).set(bytes);
      const vector = new Float32Array(halves.length);
      for (let index = 0; index < vector.length; index += 1)
        vector[index] = fromHalf(halves[index] as number);
      return vector;
    }
    case 'int8': {
      const scale = bytes.readFloatLE(0);
      const levels = new Int8Array(bytes.buffer, bytes.byteOffset + SCALE_BYTES, bytes.length - SCALE_BYTES);
      const vector = new Float32Array(levels.length);
      for (let index = 0; index < vector.length; index += 1)
        vector[index] = (levels[index] as number) * scale;
      return vector;
    }
  }
}

function levelOf(value: number): number {
  return Math.max(-INT8_MAX, Math.min(INT8_MAX, Math.round(value)));
}

function largestOf(vector: Float32Array): number {
  let largest = 0;
  for (let index = 0; index < vector.length; index += 1)
    largest = Math.max(largest, Math.abs(vector[index] as number));
  return largest;
}

function checksum(key: string, bytes: Buffer): number {
  return crc32(bytes.subarray(STORED_AT), crc32(bytes.subarray(0, CHECKSUM_AT), crc32(key)));
}
