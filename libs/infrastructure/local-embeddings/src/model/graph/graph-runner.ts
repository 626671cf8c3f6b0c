import type { TokenRow } from '../embedding-model.types.ts';

/** Texts of a batch, padded to one length. */
export interface GraphBatch {
  readonly rows: number;
  readonly length: number;
  /** Token ids, row after row. */
  readonly ids: Int32Array;
  /** 1 for a token, 0 for padding. */
  readonly mask: Int32Array;
  /** As a rule 1 for a token of the second text of a pair, and 0 for all others. */
  readonly types: Int32Array;
}

/** An output of a graph, as 32-bit floats. */
export interface GraphOutput {
  readonly data: Float32Array<ArrayBuffer>;
  readonly dims: readonly number[];
}

/** Something that runs an ONNX graph. */
export interface GraphRunner {
  /** The length that every batch has to have, where the graph was made for one alone. */
  readonly length: number | undefined;
  /**
   * @param output the only one that is wanted; every floating-point output by default
   * @throws Error with the runtime's reason
   */
  run(batch: GraphBatch, output?: string): Promise<ReadonlyMap<string, GraphOutput>>;
  /** Gives the memory back. Nothing runs after it. */
  close(): Promise<void>;
}

/**
 * Pads rows to the longest one; a text without tokens still gets a column.
 * @param least length that the batch has at least
 */
export function padBatch(
  rows: readonly TokenRow[],
  padId: number,
  side: 'left' | 'right',
  least = 1,
): GraphBatch {
  let length = least;
  for (const { ids } of rows) length = Math.max(length, ids.length);
  const ids = new Int32Array(rows.length * length).fill(padId);
  const mask = new Int32Array(rows.length * length);
  const types = new Int32Array(rows.length * length);
  rows.forEach(({ ids: row, secondFrom = row.length, types: own }, index) => {
    const start = index * length + (side === 'left' ? length - row.length : 0);
    ids.set(row, start);
    mask.fill(1, start, start + row.length);
    if (own) types.set(own, start);
    else types.fill(1, start + secondFrom, start + row.length);
  });
  return { rows: rows.length, length, ids, mask, types };
}
