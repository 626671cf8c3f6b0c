import type { Device } from '../embedding-model.types.ts';

/** Texts of unlike length and content: in a batch with the second the first is padded. */
export const BATCH_SAMPLES = [
  'a',
  'and some 12 more words: a longer text that stands beside it in one batch',
];

/**
 * Of the squared length. Rounding stays far below it; that of 16 bits on a GPU, where it depends on the batch, as well. Numbers
 * that are measured over a batch may change a vector by less than a hundredth.
 */
const TOLERANCE = 1e-8;
const GPU_TOLERANCE = 1e-3;

/** Whether two vectors of one text differ by no more than rounding. */
export function isSameVector(one: Float32Array, other: Float32Array, device: Device): boolean {
  return relativeDistance(one, other) <= (device === 'cpu' ? TOLERANCE : GPU_TOLERANCE);
}

/** The squared distance of two vectors as a part of the squared length of the first; NaN where they are not comparable. */
export function relativeDistance(one: Float32Array, other: Float32Array): number {
  let [distance, size] = [0, 0];
  one.forEach((value, index) => {
    distance += (value - (other[index] ?? NaN)) ** 2;
    size += value ** 2;
  });
  return distance === 0 ? 0 : distance / size;
}
