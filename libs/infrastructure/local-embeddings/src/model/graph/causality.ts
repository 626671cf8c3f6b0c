import { isSameVector } from './batch-independence.ts';
import type { Device } from '../embedding-model.types.ts';
import { type GraphRunner, padBatch } from './graph-runner.ts';

/** What is looked at. */
export interface TokenGraph {
  readonly runner: GraphRunner;
  readonly device: Device;
  /** Gives a vector for each token. */
  readonly output: string;
  readonly padId: number;
}

/**
 * Whether the vector of a token depends on tokens before it and on none behind it, as in decoders: then only the last one has
 * read the whole text. Seen by putting other tokens in the place of the last and of the first.
 * @param ids of a text that is known to run
 */
export async function isCausal(graph: TokenGraph, ids: readonly number[]): Promise<boolean> {
  const { device } = graph;
  const other = ids.find((id) => id !== ids[0] && id !== ids.at(-1));
  if (other === undefined) return false;
  const rows = [ids, ids.with(-1, other), ids.with(0, other)];
  const [vectors, otherLast, otherFirst] = await vectorsOf(graph, rows);
  if (!vectors || !otherLast || !otherFirst) return false;
  const lastFrom = (vectors.length / ids.length) * (ids.length - 1);
  const isSameBefore = isSameVector(vectors.subarray(0, lastFrom), otherLast.subarray(0, lastFrom), device);
  return isSameBefore && !isSameVector(vectors.subarray(lastFrom), otherFirst.subarray(lastFrom), device);
}

/**
 * The vectors of the tokens of each row. Together, since numbers that a quantised graph measures over a batch would be others
 * for each row; or one by one, where the graph takes one text only.
 */
async function vectorsOf(
  graph: TokenGraph,
  rows: readonly (readonly number[])[],
): Promise<readonly Float32Array[]> {
  const { runner, output, padId } = graph;
  const run = async (batch: typeof rows) => {
    const padded = padBatch(
      batch.map((ids) => ({ ids })),
      padId,
      'right',
      runner.length,
    );
    const { data = new Float32Array(), dims = [] } = (await runner.run(padded, output)).get(output) ?? {};
    if (dims[0] !== batch.length) throw new Error('the graph mixes the rows of a batch');
    const size = data.length / batch.length;
    return batch.map((ids, row) =>
      data.subarray(row * size, row * size + (size / padded.length) * ids.length),
    );
  };
  return run(rows).catch(async () => {
    const alone: Float32Array[] = [];
    for (const row of rows) alone.push(...(await run([row])));
    return alone;
  });
}
