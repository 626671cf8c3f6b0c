import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { loadConfig, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { waitFor } from '@morgan/testing';
import { z } from 'zod';
import { maskOfRows, UNKNOWN_BETWEEN, writeAttentionBert } from '../fixture/attention-bert.ts';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { localEmbeddingsConfig } from './local-embeddings.config.ts';
import { ModelProcess } from './processes/model-process.ts';

const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;
const context = { id: 'test', signal: new AbortController().signal };
const MEBIBYTE = 1024 * 1024;
const TOKENS = 1_536;
/** 12 heads x 1,536 x 1,536 scores x 4 bytes, twice: what one of the texts takes; two together do not fit. */
const ROOM_MB = 400;

const loaded = jest.spyOn(ModelProcess.prototype, 'loaded');
let folder: string;
let model: LocalEmbeddingModel;

/** Memory of a process in MiB: `VmRSS` now, `VmHWM` at its peak. */
function memoryOf({ pid }: ModelProcess, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
}

/** The processes that were started so far: the tokenizer's first, then that of the graph, then those in place of them. */
const processes = () => [...new Set(loaded.mock.contexts as ModelProcess[])];

/** A model whose processes leave `ROOM_MB` for batches under the limit of the service. */
async function modelWithRoom(workers: number, from = folder): Promise<LocalEmbeddingModel> {
  const build = (memoryLimitMb: number) =>
    new LocalEmbeddingModel({
      config: { ...DEFAULTS, model: from, workers, threads: 1, memoryLimitMb, idleRestartMs: 500 },
      bundledModelDir: from,
      logger: silentLogger,
      metrics: new Metrics(),
    });
  // What the processes hold is known once they run: the ceiling is what leaves the room beside it.
  const trial = build(1_000_000);
  loaded.mockClear();
  await trial.load();
  const [tokenizer, graph] = processes().map((process) => memoryOf(process, 'VmRSS')) as [number, number];
  const held = process.memoryUsage.rss() / MEBIBYTE + tokenizer + graph * workers;
  await trial.unload();
  loaded.mockClear();
  const model = build(Math.ceil((held + ROOM_MB) / 0.85));
  await model.load();
  return model;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-memory-'));
  await writeAttentionBert(folder, { between: UNKNOWN_BETWEEN });
  model = await modelWithRoom(1);
});
afterAll(async () => {
  await model.unload();
  await rm(folder, { recursive: true });
});

const textsOf = (count: number, tokens: number) => new Array<string>(count).fill('red '.repeat(tokens - 2));

describe('a model whose attention has twelve heads, and is there at once', () => {
  it('runs texts one by one that exceed the memory of the service together', async () => {
    const inference = processes()[1] as ModelProcess;
    const before = memoryOf(inference, 'VmRSS');
    const items = await model.embed(textsOf(16, TOKENS), context);
    expect(items.map(({ tokenCount }) => tokenCount)).toEqual(new Array(16).fill(TOKENS));
    // Together 3.6 GB.
    expect(memoryOf(inference, 'VmHWM') - before).toBeLessThan(ROOM_MB * 1.2);
  });

  it('refuses a text that can never fit, and names how many tokens would', async () => {
    const refused = model.embed(['red', ...textsOf(1, 8_192)], context);
    await expect(refused).rejects.toMatchObject({
      code: 'context_length_exceeded',
      status: 400,
      param: 'input[1]',
    });
    await expect(refused).rejects.toThrow(/has 8192 tokens; the memory of this service has room for \d{4}\./);
  });

  it('holds no more than at its start once it is idle', async () => {
    const start = memoryOf(processes()[1] as ModelProcess, 'VmRSS');
    await model.embed(textsOf(2, TOKENS), context);
    await waitFor(
      () =>
        model.getStatus().workersAlive === 1 &&
        memoryOf(processes().at(-1) as ModelProcess, 'VmRSS') < start * 1.15 + 32,
      { what: 'the memory of the start', timeoutMs: 20_000 },
    );
    expect(await model.embed(['red'], context)).toHaveLength(1);
  });
});

describe('a text that needs more memory than the share of one of two processes', () => {
  /** Takes 294 MB: two do not fit, also where this process gives memory back meanwhile. */
  const tokens = 1_750;

  it('runs while none other as large does, and short ones beside it', async () => {
    const runTask = Reflect.get<ModelProcess, 'run'>(ModelProcess.prototype, 'run');
    const large = { now: 0, most: 0 };
    const run = jest.spyOn(ModelProcess.prototype, 'run').mockImplementation(function (
      this: ModelProcess,
      type,
      task,
    ) {
      const isLarge = 'rows' in task && task.rows.some((row) => 'ids' in row && row.ids.length === tokens);
      if (!isLarge) return runTask.call(this, type, task);
      large.now += 1;
      large.most = Math.max(large.most, large.now);
      return runTask.call(this, type, task).finally(() => (large.now -= 1));
    });
    const pair = await modelWithRoom(2);
    try {
      await waitFor(() => pair.getStatus().workersAlive === 2, { what: 'both', timeoutMs: 20_000 });
      const calls = [1, 2, 3].map((caller) =>
        pair.embed(textsOf(2, tokens), { ...context, caller: `caller ${caller}` }),
      );
      const short = pair.embed(['red', 'red red'], { ...context, caller: 'short' });
      const items = await Promise.all([...calls, short]);
      expect(items.flat().map(({ tokenCount }) => tokenCount)).toEqual([
        ...new Array<number>(6).fill(tokens),
        3,
        4,
      ]);
      expect(large.most).toBe(1);
    } finally {
      run.mockRestore();
      await pair.unload();
    }
  });
});

describe('a model with attention of twelve heads that is run in blocks', () => {
  let blocked: string;
  let long: LocalEmbeddingModel;
  beforeEach(async () => {
    blocked = await mkdtemp(join(tmpdir(), 'morgan-memory-blocks-'));
    await writeAttentionBert(blocked, { between: maskOfRows(false) });
    long = await modelWithRoom(1, blocked);
    expect(long.getInfo().attentionBlocks).toEqual({ rows: 256, valuesPerPair: 1 });
  });
  afterEach(async () => {
    await long.unload();
    await rm(blocked, { recursive: true });
  });

  /** What the process of the graph grows by at the most, in MiB. */
  async function growthBy(lengths: readonly number[]): Promise<number> {
    const inference = processes()[1] as ModelProcess;
    const before = memoryOf(inference, 'VmRSS');
    const items = await long.embed(
      lengths.flatMap((tokens) => textsOf(1, tokens)),
      context,
    );
    expect(items.map(({ tokenCount }) => tokenCount)).toEqual(lengths);
    return memoryOf(inference, 'VmHWM') - before;
  }

  it('takes no more memory for long texts than a fraction of what their scores are', async () => {
    // The scores of one are 805 MB, twice.
    expect(await growthBy([4_096, 4_096, 4_096])).toBeLessThan(ROOM_MB);
  });

  it('takes no more for texts of many lengths, whose buffers fit no gap that the last one has left', async () => {
    const lengths = Array.from({ length: 40 }, (_, index) => 600 + ((index * 769) % 2_100));
    expect(await growthBy(lengths)).toBeLessThan(ROOM_MB / 2);
  });
});
