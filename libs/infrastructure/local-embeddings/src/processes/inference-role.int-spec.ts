import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import { InferenceRole } from './inference-role.ts';
import { REFERENCE_STATICS } from '../../fixture/model-copies.ts';
import { EmbeddingModel } from '../model/embedding-model.ts';

/** Reads 32 tokens. */
const FOLDER = join(import.meta.dirname, '../../fixture/reference-models/bert-prompts');
const TOKENS = 32;

const runs = jest.spyOn(EmbeddingModel.prototype, 'run');
afterEach(() => {
  runs.mockClear();
});

async function rowsOfRuns(count: number, threads: number): Promise<number[]> {
  const model = { backend: 'auto', device: 'cpu', dtype: 'fp32', threads } as const;
  const role = await InferenceRole.load({ folder: FOLDER, model });
  runs.mockClear();
  const rows = Array.from({ length: count }, () => ({ ids: new Array<number>(TOKENS).fill(5) }));
  const task = { type: 'run', id: 1, rows, budgetBytes: 1e9, mostTokens: 1e9, perToken: false } as const;
  const { lengths } = await role.perform(task);
  expect(lengths).toHaveLength(count);
  return runs.mock.calls.map(([batch]) => batch.length);
}

it('a batch is run in parts of 512 tokens for each thread, which fit the caches of a CPU', async () => {
  expect(await rowsOfRuns(40, 1)).toEqual([8, 16, 16]);
  expect(await rowsOfRuns(40, 2)).toEqual([8, 32]);
});

it('the cost of a static model follows from the length of its vectors alone', async () => {
  const model = { backend: 'auto', device: 'cpu', dtype: 'auto', threads: 1 } as const;
  const role = await InferenceRole.load({ folder: join(REFERENCE_STATICS, 'mean'), model });
  expect(role.loaded.model.cost).toEqual({ perPair: 0, perToken: 4 * 8 * 4 });
});
