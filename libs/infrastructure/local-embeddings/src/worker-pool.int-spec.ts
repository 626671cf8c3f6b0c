import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { silentLogger } from '@morgan/foundation';
import { waitFor } from '@morgan/testing';
import { writeTinyBert } from '../fixture/tiny-bert.ts';
import { WorkerPool } from './worker-pool.ts';

describe('a worker that loads well and then crashes', () => {
  let folder: string;
  let pool: WorkerPool;
  let restartedAt: number[];
  const listen = jest.spyOn(Worker.prototype, 'on');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'morgan-pool-'));
    await writeTinyBert(folder);
    restartedAt = [];
    const model = { backend: 'auto', device: 'cpu', dtype: 'auto', threads: 1 } as const;
    pool = new WorkerPool({ folder, model }, 1, silentLogger, {
      onFree: () => undefined,
      onRestart: () => void restartedAt.push(performance.now()),
      onRestartFailed: () => undefined,
    });
    await pool.start();
  });
  afterEach(async () => {
    await pool.stop();
    await rm(folder, { recursive: true });
  });

  /** No worker understands this: it dies of it. */
  const crash = async () => {
    const crashedAt = performance.now();
    const before = restartedAt.length;
    (listen.mock.contexts.at(-1) as Worker).postMessage(null);
    await waitFor(() => restartedAt.length > before && pool.hasFree, { what: 'the next worker' });
    return (restartedAt.at(-1) as number) - crashedAt;
  };

  it('is restarted after twice the time each time, until a batch goes well', async () => {
    expect(await crash()).toBeGreaterThanOrEqual(100);
    expect(await crash()).toBeGreaterThanOrEqual(200);
    expect(await crash()).toBeGreaterThanOrEqual(400);
    await pool.run([{ input: 'red', truncate: true }]);
    expect(await crash()).toBeLessThan(800);
  });
});
