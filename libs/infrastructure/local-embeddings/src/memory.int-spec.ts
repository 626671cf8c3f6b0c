import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { loadConfig, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { waitFor } from '@morgan/testing';
import { z } from 'zod';
import { writeAttentionBert } from '../fixture/attention-bert.ts';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { localEmbeddingsConfig } from './local-embeddings.config.ts';
import { ModelProcess } from './model-process.ts';

const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;
const context = { id: 'test', signal: new AbortController().signal };
const MEBIBYTE = 1024 * 1024;
/** What batches of one process may take in this test. */
const ROOM_MB = 640;

let folder: string;
let model: LocalEmbeddingModel;
const run = jest.spyOn(ModelProcess.prototype, 'run');

/** Memory of a process in bytes: `VmRSS` now, `VmHWM` at its peak. */
function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  )?.[1];
  return Number(kilobytes) * 1024;
}

/** The process of the latest batch. */
function inference(): ModelProcess {
  const index = run.mock.calls.findLastIndex(([type]) => type === 'run');
  return run.mock.contexts[index] as ModelProcess;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-memory-'));
  await writeAttentionBert(folder);
  // What this process and two others hold is not known before: the ceiling is the first that leaves the room.
  const heldMb = process.memoryUsage.rss() / MEBIBYTE + 2 * 200;
  const config = {
    ...DEFAULTS,
    model: folder,
    workers: 1,
    threads: 2,
    memoryLimitMb: Math.ceil((heldMb + ROOM_MB) / 0.85),
    idleRestartMs: 500,
  };
  model = new LocalEmbeddingModel({
    config,
    bundledModelDir: folder,
    logger: silentLogger,
    metrics: new Metrics(),
  });
  await model.load();
});
afterAll(async () => {
  await model.unload();
  await rm(folder, { recursive: true });
});

const textsOf = (count: number, tokens: number) => new Array<string>(count).fill('red '.repeat(tokens - 2));

describe('a model whose attention has twelve heads', () => {
  it('runs 32 texts of 2,048 tokens within the memory that there is, which they would exceed together', async () => {
    await model.embed(['red'], context);
    const pid = inference().pid as number;
    const before = memoryOf(pid, 'VmRSS');
    const items = await model.embed(textsOf(32, 2_048), context);
    expect(items.map(({ tokenCount }) => tokenCount)).toEqual(new Array(32).fill(2_048));
    // Together their scores alone are 32 x 12 x 2,048 x 2,048 x 4 bytes = 6.4 GB.
    expect((memoryOf(pid, 'VmHWM') - before) / MEBIBYTE).toBeLessThan(ROOM_MB * 1.3);
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

  it('gives the memory back once it is idle', async () => {
    const grown = inference();
    await waitFor(() => model.getStatus().workersAlive === 1 && memoryNow() <= 1.2, {
      what: 'the memory of the start',
      timeoutMs: 20_000,
    });
    expect(await model.embed(['red'], context)).toHaveLength(1);
    expect(grown.pid).toBeDefined();

    function memoryNow(): number {
      const { pid } = run.mock.contexts.at(-1) as ModelProcess;
      return memoryOf(pid as number, 'VmRSS') / (200 * MEBIBYTE);
    }
  });
});
