import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeAttentionBert } from '../../fixture/attention-bert.ts';
import { ModelProcess } from './model-process.ts';

const SETTING = 'MALLOC_TRIM_THRESHOLD_';
const TUNABLES = 'GLIBC_TUNABLES';
const LARGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled';
/** Its scores take 12.6 MB, twice: 6,144 pages of memory. */
const BATCH = {
  rows: Array.from({ length: 4 }, () => ({ ids: Array.from({ length: 256 }, (_, at) => at % 8) })),
  budgetBytes: 1e9,
  mostTokens: 1e9,
  perToken: false,
};
const OPTIONS = { backend: 'auto', device: 'cpu', dtype: 'fp32', threads: 1, memoryArena: false } as const;
const PROMPTS = join(import.meta.dirname, '../../fixture/reference-models/bert-prompts');
/** Of libuv, in every process of Node. */
const POOL_THREADS = 4;
let folder: string;
let model: ModelProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-pages-'));
  await writeAttentionBert(folder);
});
afterEach(async () => {
  delete process.env[SETTING];
  delete process.env[TUNABLES];
  await model.end();
  await rm(folder, { recursive: true });
});

/** Those of libuv, and those that a library makes on one of them. */
async function poolThreads(): Promise<number> {
  const tasks = `/proc/${model.pid}/task`;
  const names = await Promise.all(
    (await readdir(tasks)).map((task) => readFile(join(tasks, task, 'comm'), 'utf8')),
  );
  return names.filter((name) => name.startsWith('libuv-worker')).length;
}

async function pageFaults(): Promise<number> {
  const [, fields = ''] = (await readFile(`/proc/${model.pid}/stat`, 'utf8')).split(') ');
  return Number(fields.split(' ')[7]);
}

it('a graph has its memory at hand from batch to batch, though the service gives its own back at once', async () => {
  process.env[SETTING] = '131072';
  model = new ModelProcess('inference', { folder, model: OPTIONS }, () => undefined);
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

it('texts of a batch are tokenised without threads of the tokenizer', async () => {
  model = new ModelProcess('inference', { folder: PROMPTS, model: OPTIONS }, () => undefined);
  await model.loaded();
  const rows = Array.from({ length: 32 }, () => ({ text: 'a cat and a dog', more: false }));
  const { lengths } = await model.run('run', { ...BATCH, rows });
  expect([lengths.length, await poolThreads()]).toEqual([32, POOL_THREADS]);
});

describe('memory of a graph', () => {
  const asksForLargePages = async () => {
    model = new ModelProcess('inference', { folder: PROMPTS, model: OPTIONS }, () => undefined);
    await model.loaded();
    return / hg( |$)/m.test(await readFile(`/proc/${model.pid}/smaps`, 'utf8'));
  };

  it('asks for large pages where Linux waits to be asked', async () => {
    const waits = (await readFile(LARGE_PAGES, 'utf8').catch(() => '')).includes('[madvise]');
    expect(await asksForLargePages()).toBe(waits);
  });

  it('does not where the environment says so', async () => {
    process.env[TUNABLES] = 'glibc.malloc.hugetlb=0';
    expect(await asksForLargePages()).toBe(false);
  });
});
