/** How the vectors of a text's tokens become the vector of the text. */
export type Pooling = 'mean' | 'cls' | 'lasttoken' | 'max';

/** Token vectors of a batch: `[rows, length, dimensions]`, and which positions are real. */
export interface TokenVectors {
  readonly data: Float32Array;
  readonly mask: readonly number[];
  readonly rows: number;
  readonly length: number;
  readonly dimensions: number;
}

/**
 * One vector per row. Padding never counts, on whichever side it is.
 * `mean` is that of sentence-transformers: the sum over real tokens divided by their number.
 */
export function pool(tokens: TokenVectors, pooling: Pooling): Float32Array<ArrayBuffer> {
  const { rows, length, dimensions } = tokens;
  const pooled = new Float32Array(rows * dimensions);
  for (let row = 0; row < rows; row += 1) {
    const positions = realPositions(tokens.mask, row * length, length);
    poolRow(tokens, positions, pooling, pooled.subarray(row * dimensions, (row + 1) * dimensions));
  }
  return pooled;
}

function realPositions(mask: readonly number[], from: number, length: number): number[] {
  const positions: number[] = [];
  for (let index = from; index < from + length; index += 1) if (mask[index]) positions.push(index);
  return positions;
}

function poolRow(
  tokens: TokenVectors,
  positions: readonly number[],
  pooling: Pooling,
  target: Float32Array,
): void {
  const { data, dimensions } = tokens;
  const at = (position: number) => data.subarray(position * dimensions, (position + 1) * dimensions);
  const first = positions[0];
  const last = positions.at(-1);
  if (first === undefined || last === undefined) return;
  switch (pooling) {
    case 'cls':
      return target.set(at(first));
    case 'lasttoken':
      return target.set(at(last));
    case 'max':
      target.set(at(first));
      for (const position of positions) {
        at(position).forEach((value, index) => (target[index] = Math.max(target[index] ?? value, value)));
      }
      return;
    case 'mean':
      for (const position of positions) {
        const start = position * dimensions;
        for (let index = 0; index < dimensions; index += 1) {
          target[index] = (target[index] as number) + (data[start + index] as number);
        }
      }
      for (let index = 0; index < dimensions; index += 1)
        target[index] = (target[index] as number) / positions.length;
  }
}

/** Scales every row to length 1, in place. A row of zeros stays one. */
export function normaliseRows(data: Float32Array, dimensions: number): void {
  for (let start = 0; start < data.length; start += dimensions) {
    normalise(data.subarray(start, start + dimensions));
  }
}

/** Scales a vector to length 1, in place. A vector of zeros stays one. */
export function normalise(vector: Float32Array): void {
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (sum === 0) return;
  const scale = 1 / Math.sqrt(sum);
  for (let index = 0; index < vector.length; index += 1) vector[index] = (vector[index] as number) * scale;
}
