import { describe, expect, it } from '@jest/globals';
import { BatchQueue } from './batch-queue.ts';
import { EmbeddingJob } from './embedding-job.ts';

const job = (...inputs: (string | number[])[]) =>
  new EmbeddingJob(
    inputs.map((input) => ({ input, truncate: true })),
    (position) => `input[${position}]`,
  );
const many = (count: number) => job(...Array.from({ length: count }, () => 'x'));
const queueOf = (...jobs: EmbeddingJob[]) => {
  const queue = new BatchQueue();
  for (const one of jobs) queue.add(one);
  return queue;
};
const owners = (queue: BatchQueue, size: number, ...jobs: EmbeddingJob[]) =>
  queue.take(size)?.parts.map((part) => jobs.indexOf(part.job));

describe('BatchQueue', () => {
  it('gives nothing while nothing waits', () => {
    expect(new BatchQueue().take(8)).toBeUndefined();
  });

  it('puts small jobs together, up to the size of a batch', () => {
    const jobs = [many(1), many(1), many(1)] as const;
    const queue = queueOf(...jobs);
    expect(owners(queue, 2, ...jobs)).toEqual([0, 1]);
    expect(owners(queue, 2, ...jobs)).toEqual([2]);
    expect(queue.length).toBe(0);
  });

  it('lets a single text go after one batch of a large job, and fills its batch with the rest', () => {
    const [large, small] = [many(20), many(1)];
    const queue = queueOf(large, small);
    expect(owners(queue, 4, large, small)).toEqual([0, 0, 0, 0]);
    expect(owners(queue, 4, large, small)).toEqual([1, 0, 0, 0]);
    expect(queue.length).toBe(13);
  });

  it('gives two large jobs turns', () => {
    const [one, other] = [many(8), many(8)];
    const queue = queueOf(one, other);
    const turns = Array.from({ length: 4 }, () => owners(queue, 4, one, other)?.[0]);
    expect(turns).toEqual([0, 1, 0, 1]);
  });

  it('lets the texts of a job leave by length, so that like is with like', () => {
    const mixed = job('long text here', 'a', [1, 2, 3], 'a text', 'ab');
    const positions = queueOf(mixed)
      .take(8)
      ?.parts.map(({ position }) => position);
    expect(positions).toEqual([1, 4, 2, 3, 0]);
  });

  it('forgets what is left of a removed job, and only that', () => {
    const [gone, stays] = [many(10), many(3)];
    const queue = queueOf(gone, stays);
    queue.take(4);
    queue.remove(gone);
    expect(queue.length).toBe(3);
    expect(owners(queue, 8, gone, stays)).toEqual([1, 1, 1]);
    queue.remove(gone);
    expect(queue.length).toBe(0);
  });

  it('tries the texts of a failed batch again one by one, the first of them at once', () => {
    const [failed, other] = [many(2), many(3)];
    const queue = queueOf(failed);
    const batch = queue.take(8);
    queue.add(other);
    for (const part of batch?.parts ?? []) queue.putBack(part.job, part.position);
    expect(queue.length).toBe(5);
    const sizes = Array.from({ length: 3 }, () => queue.take(8)?.parts.length);
    expect(sizes).toEqual([1, 3, 1]);
    expect(queue.length).toBe(0);
  });
});
