import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { writeAttentionBert } from '../../fixture/attention-bert.ts';
import { ModelProcess } from './model-process.ts';

const SETTING = 'MALLOC_TRIM_THRESHOLD_';
/** Its scores take 12.6 MB, twice: 6,144 pages of memory. */
const BATCH = {
  rows: Array.from({ length: 4 }, () => ({ ids: Array.from({ length: 256 }, (_, at) => at % 8) })),
  budgetBytes: 1e9,
  mostTokens: 1e9,
  perToken: false,
};
let folder: string;
let model: ModelProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-pages-'));
  await writeAttentionBert(folder);
});
afterEach(async () => {
  delete process.env[SETTING];
  await model.end();
  await rm(folder, { recursive: true });
});

async function pageFaults(): Promise<number> {
  const [, fields = ''] = (await readFile(`/proc/${model.pid}/stat`, 'utf8')).split(') ');
  return Number(fields.split(' ')[7]);
}

it('a graph has its memory at hand from batch to batch, though the service gives its own back at once', async () => {
  process.env[SETTING] = '131072';
  const options = { backend: 'auto', device: 'cpu', dtype: 'fp32', threads: 1, memoryArena: false } as const;
  model = new ModelProcess('inference', { folder, model: options }, () => undefined);
  await model.loaded();
  // The heap grows until V8 has freed the first outputs, however long that takes; each run of ten would have 30,000 without.
  let faults = Infinity;
  for (let run = 0; run < 100 && faults >= 1_000; run += 1) {
    const before = await pageFaults();
    for (let batch = 0; batch < 10; batch += 1) await model.run('run', BATCH);
    faults = (await pageFaults()) - before;
  }
  expect(faults).toBeLessThan(1_000);
});
