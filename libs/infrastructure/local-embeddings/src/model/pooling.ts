import type { PoolingMode } from './embedding-model.types.ts';

/** The token vectors of a batch: `[rows, length, dimensions]`. */
interface TokenVectors {
  readonly data: Float32Array;
  readonly length: number;
  readonly dimensions: number;
  /** Which positions of each row count. */
  readonly spans: readonly TokenSpan[];
}

/** The positions of one row: `first` is its first real token, those from `from` up to but not `to` are pooled. */
export interface TokenSpan {
  readonly first: number;
  readonly from: number;
  readonly to: number;
}

/**
 * One vector per row; several modes are concatenated. Padding never counts, on whichever side it is. The formulas are
 * those of sentence-transformers, with positions of `weightedmean` counted from the first real token.
 */
export function pool(tokens: TokenVectors, modes: readonly PoolingMode[]): Float32Array<ArrayBuffer> {
  const { spans, dimensions, length } = tokens;
  const width = dimensions * modes.length;
  const pooled = new Float32Array(spans.length * width);
  spans.forEach((span, row) => {
    if (span.to <= span.from) return;
    const rowData = tokens.data.subarray(row * length * dimensions, (row + 1) * length * dimensions);
    modes.forEach((mode, index) => {
      const start = row * width + index * dimensions;
      poolRow(rowData, span, mode, pooled.subarray(start, start + dimensions));
    });
  });
  return pooled;
}

function poolRow(data: Float32Array, span: TokenSpan, mode: PoolingMode, target: Float32Array): void {
  const { first, from, to } = span;
  const size = target.length;
  switch (mode) {
    case 'cls':
      return target.set(data.subarray(from * size, (from + 1) * size));
    case 'lasttoken':
      return target.set(data.subarray((to - 1) * size, to * size));
    case 'max':
      return keepLargest(data, span, target);
    case 'mean':
      return addUp(data, span, target, { weightOf: () => 1, divisor: to - from });
    case 'mean_sqrt_len_tokens':
      return addUp(data, span, target, { weightOf: () => 1, divisor: Math.sqrt(to - from) });
    case 'weightedmean': {
      const weightOf = (position: number) => position - first + 1;
      const divisor = ((weightOf(from) + weightOf(to - 1)) * (to - from)) / 2;
      return addUp(data, span, target, { weightOf, divisor });
    }
  }
}

function keepLargest(data: Float32Array, { from, to }: TokenSpan, target: Float32Array): void {
  const size = target.length;
  target.set(data.subarray(from * size, (from + 1) * size));
  for (let position = from + 1; position < to; position += 1) {
    for (let index = 0; index < size; index += 1) {
      // Math.max keeps a NaN, which a comparison would lose.
      target[index] = Math.max(target[index] as number, data[position * size + index] as number);
    }
  }
}

interface Weighing {
  readonly weightOf: (position: number) => number;
  readonly divisor: number;
}

function addUp(data: Float32Array, { from, to }: TokenSpan, target: Float32Array, weighing: Weighing): void {
  const size = target.length;
  const sums = new Float64Array(size);
  for (let position = from; position < to; position += 1) {
    const weight = weighing.weightOf(position);
    const start = position * size;
    for (let index = 0; index < size; index += 1) {
      sums[index] = (sums[index] as number) + weight * (data[start + index] as number);
    }
  }
  for (let index = 0; index < size; index += 1) target[index] = (sums[index] as number) / weighing.divisor;
}
