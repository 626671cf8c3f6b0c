/** Scales every row to length 1, in place. A row of zeros stays one. */
export function normalizeRows(data: Float32Array, dimensions: number): void {
  for (let start = 0; start < data.length; start += dimensions) {
    normalize(data.subarray(start, start + dimensions));
  }
}

/** Scales a vector to length 1, in place. A vector of zeros stays one. */
export function normalize(vector: Float32Array): void {
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (sum === 0) return;
  const scale = 1 / Math.sqrt(sum);
  for (let index = 0; index < vector.length; index += 1) vector[index] = (vector[index] as number) * scale;
}
