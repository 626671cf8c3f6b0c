import { normalize } from './model/normalize.ts';

/**
 * Cuts a vector to its first `dimensions` values and scales it to length 1 again, as OpenAI's `dimensions` does. Only
 * models trained for it (Matryoshka) keep their quality. Always a copy.
 * @throws RangeError for what is no whole number from 1 to the length of the vector
 */
export function cutDimensions(vector: Float32Array, dimensions: number): Float32Array {
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > vector.length)
    throw new RangeError(`dimensions must be a whole number from 1 to ${vector.length}`);
  const cut = vector.slice(0, dimensions);
  if (dimensions < vector.length) normalize(cut);
  return cut;
}

/**
 * The values of a vector as base64; float32 little-endian is what OpenAI's clients ask for by default. The bytes go as they lie in memory:
 * every platform that onnxruntime-node exists for is little-endian.
 */
export function toBase64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** Cosine of the angle between two vectors of equal length: 1 same direction, 0 unrelated; 0 when one is all zeros. */
export function cosineSimilarity(left: Float32Array, right: Float32Array): number {
  if (left.length !== right.length) {
    throw new RangeError(`vectors of ${left.length} and ${right.length} dimensions cannot be compared`);
  }
  let dot = 0;
  let leftSum = 0;
  let rightSum = 0;
  for (let index = 0; index < left.length; index += 1) {
    const a = left[index] as number;
    const b = right[index] as number;
    dot += a * b;
    leftSum += a * a;
    rightSum += b * b;
  }
  if (leftSum === 0 || rightSum === 0) return 0;
  // Rounding must not lead out of the range of a cosine.
  return Math.max(-1, Math.min(1, dot / Math.sqrt(leftSum * rightSum)));
}
