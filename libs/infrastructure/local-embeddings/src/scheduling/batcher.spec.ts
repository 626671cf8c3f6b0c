import { setImmediate } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { AppError } from '@morgan/foundation';
import type { ProcessPool } from '../processes/process-pool.ts';
import type { TaskResult } from '../processes/process-protocol.ts';
import { Batcher, type BatchWork } from './batcher.ts';
import { EmbeddingJob } from './embedding-job.ts';
import type { QueueItem } from './queue-item.ts';

const jobOf = (inputs: number) =>
  new EmbeddingJob({ inputs: Array<string>(inputs).fill(''), truncate: true, paramOf: String });

it('batches that wait for room keep their turn, and go with the last of their calls', async () => {
  const names = new Map<EmbeddingJob, string>();
  const named = (items: readonly QueueItem[]) => items.map(({ job }) => names.get(job)).join('');
  const [asked, ran]: [string[], string[]] = [[], []];
  let [hasRoom, givenUp] = [false, 0];
  const work: BatchWork<'run'> = {
    type: 'run',
    limits: { items: 8, size: 1_000 },
    begin: (items) => {
      asked.push(named(items));
      const task = { rows: [], budgetBytes: 0, mostTokens: 0, perToken: false };
      return hasRoom ? { task, end: () => void ran.push(named(items)) } : undefined;
    },
    giveUp: () => void (givenUp += 1),
    deliver: () => [],
    onFailed: () => undefined,
  };
  const pool = {
    free: 2,
    run: (_: 'run', __: object, end: () => void): Promise<TaskResult<'run'>> => {
      end();
      return Promise.resolve({
        vectors: new Float32Array(),
        faults: [],
        lengths: [],
        unrun: [],
        inferenceMs: 0,
      });
    },
  };
  const batcher = new Batcher(pool as unknown as ProcessPool, work);
  const add = (name: string, sizes: readonly number[]) => {
    const job = jobOf(sizes.length);
    names.set(job, name);
    batcher.add(sizes.map((size, position) => ({ job, position, size })));
    return job;
  };
  const short = add('s', [4]);
  add('l', [400, 3]);
  await setImmediate();
  const late = add('x', [4]);
  await setImmediate();
  expect([asked, batcher.length, givenUp]).toEqual([['s', 's'], 4, 0]);
  batcher.remove(late);
  batcher.remove(short);
  expect([asked, batcher.length, givenUp]).toEqual([['s', 's', 'll'], 2, 1]);
  pool.free = 0;
  batcher.dispatch();
  // Nobody else is to wait for room that it could not use.
  expect([asked.length, batcher.length, givenUp]).toEqual([3, 2, 2]);
  pool.free = 2;
  hasRoom = true;
  batcher.dispatch();
  expect([ran, batcher.length]).toEqual([['ll'], 0]);
});

it('what fails with others is tried once more, alone, and not at all where its call is over', async () => {
  const [ran, failed]: [number[][], unknown[]] = [[], []];
  const pool = {
    free: 1,
    run: (_: 'run', __: object, end: () => void): Promise<TaskResult<'run'>> => {
      end();
      return Promise.reject(new Error('crashed'));
    },
  };
  const batcher = new Batcher<'run'>(pool as unknown as ProcessPool, {
    type: 'run',
    limits: { items: 8, size: 1_000 },
    begin: (items) => {
      ran.push(items.map(({ size }) => size));
      // As a real pool, which has one process here.
      pool.free = 0;
      const task = { rows: [], budgetBytes: 0, mostTokens: 0, perToken: false };
      return { task, end: () => void (pool.free = 1) };
    },
    giveUp: () => undefined,
    deliver: () => [],
    onFailed: ({ size }, { message }) => void failed.push([size, message]),
  });
  const over = jobOf(1);
  over.fail(new AppError('client_closed_request', 'left'));
  over.done.catch(() => undefined);
  const job = jobOf(2);
  // Nothing waits yet.
  batcher.remove(over);
  batcher.add([1, 2].map((size, position) => ({ job, position, size })));
  batcher.add([{ job: over, position: 0, size: 3 }]);
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  expect(ran.map((sizes) => sizes.toSorted((a, b) => a - b))).toEqual([[1, 2, 3], [2], [1]]);
  expect(failed).toEqual([
    [2, 'crashed'],
    [1, 'crashed'],
  ]);
  expect(batcher.length).toBe(0);
});
