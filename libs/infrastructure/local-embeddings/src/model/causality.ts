import { isSameVector } from './batch-independence.ts';
import type { Device } from './embedding-model.types.ts';
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
  const { runner, device, output, padId } = graph;
  const other = ids.find((id) => id !== ids[0] && id !== ids.at(-1));
  if (other === undefined) return false;
  const vectorsOf = async (row: readonly number[]) => {
    const batch = padBatch([{ ids: row }], padId, 'right', runner.length);
    const { data = new Float32Array() } = (await runner.run(batch, output)).get(output) ?? {};
    return data.subarray(0, (data.length / batch.length) * row.length);
  };
  const vectors = await vectorsOf(ids);
  const lastFrom = (vectors.length / ids.length) * (ids.length - 1);
  const otherLast = await vectorsOf(ids.with(-1, other));
  const otherFirst = await vectorsOf(ids.with(0, other));
  const isSameBefore = isSameVector(vectors.subarray(0, lastFrom), otherLast.subarray(0, lastFrom), device);
  return isSameBefore && !isSameVector(vectors.subarray(lastFrom), otherFirst.subarray(lastFrom), device);
}
