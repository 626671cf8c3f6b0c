import { crc32 } from 'node:zlib';
import type { CachedEmbedding } from './cached-embedding.ts';

/**
 * Layout, little-endian: format (1 byte), flags (1), reserved (2), token count (4), CRC-32 of all the rest (4), vector
 * (4 bytes per dimension, copied as it lies in memory: every platform that onnxruntime-node exists for is little-endian).
 */
const FORMAT = 1;
const TRUNCATED = 1;
const CHECKSUM_AT = 8;
const HEADER_BYTES = 12;

/** The bytes under which an embedding is stored. */
export function encodeEmbedding({ vector, tokenCount, truncated }: CachedEmbedding): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + vector.length * 4);
  bytes.writeUInt8(FORMAT, 0);
  bytes.writeUInt8(truncated ? TRUNCATED : 0, 1);
  bytes.writeUInt32LE(tokenCount, 4);
  bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), HEADER_BYTES);
  bytes.writeUInt32LE(checksum(bytes), CHECKSUM_AT);
  return bytes;
}

/** The embedding in these bytes; undefined when they are of another format or damaged: a miss, never a wrong vector. */
export function decodeEmbedding(bytes: Buffer): CachedEmbedding | undefined {
  if (bytes.length <= HEADER_BYTES || bytes.length % 4 !== 0 || bytes.readUInt8(0) !== FORMAT)
    return undefined;
  if (bytes.readUInt32LE(CHECKSUM_AT) !== checksum(bytes)) return undefined;
  const vector = new Float32Array((bytes.length - HEADER_BYTES) / 4);
  new Uint8Array(vector.buffer).set(bytes.subarray(HEADER_BYTES));
  return { vector, tokenCount: bytes.readUInt32LE(4), truncated: bytes.readUInt8(1) === TRUNCATED };
}

function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, CHECKSUM_AT)));
}
