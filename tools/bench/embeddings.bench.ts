import { DEFAULT_OUT_DIR } from '../bundled-model/prepare.ts';
import type { BenchRow } from './bench-row.ts';
import { benchModels } from './embeddings/bench-models.ts';
import { cacheRows } from './embeddings/cache-rows.ts';
import { loopRows } from './embeddings/loop-rows.ts';
import { modelRows } from './embeddings/model-rows.ts';

/**
 * embedding-service against the bare runtime and its peers. Whatever others do on the machine costs everybody the same
 * processor time, so texts are counted by the second of it, that of all processes of a server.
 */
export async function embeddingsBench(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const model of await benchModels()) rows.push(...(await modelRows(model)));
  return [...rows, ...(await cacheRows(DEFAULT_OUT_DIR)), ...(await loopRows(DEFAULT_OUT_DIR))];
}
