import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { writeTinyBert } from '../../fixture/tiny-bert.ts';
import { ModelProcess } from './model-process.ts';

const MEGABYTE = 1024 * 1024;
let folder: string;
let tokenizer: ModelProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-idle-'));
  await writeTinyBert(folder);
});
afterEach(async () => {
  await tokenizer.end();
  await rm(folder, { recursive: true });
});

async function residentBytes(): Promise<number> {
  const [, kilobytes] =
    /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${tokenizer.pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

it('a process that is asked what it holds while it is idle frees what its work has left behind first', async () => {
  const model = { backend: 'auto', device: 'cpu', dtype: 'fp32', threads: 1 } as const;
  tokenizer = new ModelProcess('tokenizer', { folder, model }, () => undefined);
  await tokenizer.loaded();
  await tokenizer.run('list', { texts: ['red tea '.repeat(20_000)], specials: false, most: 1e9 });
  const busyBytes = await residentBytes();
  const { rssBytes } = await tokenizer.run('memory', {});
  expect(busyBytes - rssBytes).toBeGreaterThan(20 * MEGABYTE);
});
