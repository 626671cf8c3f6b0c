import { describe, expect, it } from '@jest/globals';
import { type Logger, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { BatchMemory } from '../batch-memory.ts';
import { EmbeddingMetrics } from '../embedding-metrics.ts';
import type { ProcessPool } from '../processes/process-pool.ts';
import type { Task, TaskResult } from '../processes/process-protocol.ts';
import { Admission } from './admission.ts';
import { Batcher } from './batcher.ts';
import { EmbeddingJob } from './embedding-job.ts';
import { InferenceWork } from './inference-work.ts';

const PADDED = 'value 0 of the vector is NaN';

/** A process whose graph gives the first id of a row as its vector; `isFaulty` says of which rows of a batch it gives NaN. */
function batcherOf(isFaulty: (row: number, rows: number) => boolean) {
  const batches: number[] = [];
  const warnings: object[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };
  const metrics = new EmbeddingMetrics(new Metrics(), 'model', {
    waitingTexts: () => 0,
    waitingTokens: () => 0,
  });
  const run = (_: 'run', { rows }: Task<'run'>): Promise<TaskResult<'run'>> => {
    batches.push(rows.length);
    const faulty = rows.map((_row, index) => index).filter((index) => isFaulty(index, rows.length));
    const idsOf = (row: (typeof rows)[number]) => ('ids' in row ? row.ids : []);
    const vectors = Float32Array.from(rows, (row) => idsOf(row)[0] as number);
    const lengths = rows.map((row) => idsOf(row).length);
    const faults = faulty.map((row) => ({ row, reason: PADDED }));
    return Promise.resolve({ vectors, faults, lengths, unrun: [], inferenceMs: 1 });
  };
  const admission = new Admission(1_000);
  const work = new InferenceWork({
    limits: { items: 32, size: 1_000 },
    perToken: false,
    cost: { perToken: 1, perPair: 0 },
    memory: new BatchMemory(() => ({ freeBytes: 1e9, shareBytes: 1e9 })),
    processes: () => 1,
    onTokenised: () => undefined,
    admission,
    metrics,
    logger,
  });
  const batcher = new Batcher({ free: 1, run } as unknown as ProcessPool, work);
  const embed = (rows: readonly (readonly number[])[]) => {
    const job = new EmbeddingJob({ inputs: rows, truncate: true, paramOf: (place) => `input[${place}]` });
    admission.admit(job, 100);
    rows.forEach((ids, place) => job.tokenised(place, { row: { ids }, truncated: false }));
    batcher.add(rows.map((ids, position) => ({ job, position, size: ids.length })));
    return job.done;
  };
  return { batches, warnings, embed };
}

describe('a vector that is not finite', () => {
  it('in a batch is computed once more, alone, before its input is refused', async () => {
    const { batches, warnings, embed } = batcherOf((row, rows) => rows > 1 && row === 1);
    const items = await embed([[7], [8], [9]]);
    expect(items.map(({ vector }) => vector[0])).toEqual([7, 8, 9]);
    expect(batches).toEqual([3, 1]);
    expect(warnings).toEqual([{ param: expect.stringMatching(/^input/), reason: PADDED, together: 3 }]);
  });

  it('alone too is the end of its call', async () => {
    const { batches, embed } = batcherOf((row) => row === 0);
    await expect(embed([[7], [8]])).rejects.toMatchObject({ code: 'vector_not_finite' });
    expect(batches).toEqual([2, 1]);
  });

  it('of a call with one input is not computed again', async () => {
    const { batches, embed } = batcherOf(() => true);
    await expect(embed([[7]])).rejects.toMatchObject({ code: 'vector_not_finite', param: 'input[0]' });
    expect(batches).toEqual([1]);
  });
});
