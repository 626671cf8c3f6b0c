import { expect, it } from '@jest/globals';
import { AppError, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { BatchMemory } from '../batch-memory.ts';
import { EmbeddingMetrics } from '../embedding-metrics.ts';
import type { ProcessPool } from '../processes/process-pool.ts';
import type { Task, TaskResult } from '../processes/process-protocol.ts';
import { Admission } from './admission.ts';
import { EmbeddingScheduler } from './embedding-scheduler.ts';
import { InferenceWork } from './inference-work.ts';

it('refuses what is under way, and knows nothing more of calls that are over', async () => {
  const isHeld = Promise.withResolvers<void>();
  const run = async (_: 'run', { rows }: Task<'run'>): Promise<TaskResult<'run'>> => {
    const texts = rows.map((row) => ('text' in row ? row.text : ''));
    if (texts.includes('held')) await isHeld.promise;
    const lengths = rows.map(() => 1);
    return { vectors: new Float32Array(rows.length), faults: [], lengths, unrun: [], inferenceMs: 1 };
  };
  const pool = { free: 1, run } as unknown as ProcessPool;
  const waiting = { waitingTexts: () => 0, waitingTokens: () => 0 };
  const metrics = new EmbeddingMetrics(new Metrics(), 'model', waiting);
  const memory = new BatchMemory(() => ({ freeBytes: 1e9, shareBytes: 1e9 }));
  const admission = new Admission(1_000);
  const workOf = (perToken: boolean) =>
    new InferenceWork({
      limits: { items: 32, size: 1_000 },
      perToken,
      cost: { perToken: 1, perPair: 0 },
      processes: () => 1,
      onTokenised: () => undefined,
      ...{ memory, admission, metrics, logger: silentLogger },
    });
  const scheduler = new EmbeddingScheduler({
    tokenizers: pool,
    inference: pool,
    inferenceWork: workOf(false),
    tokenVectorWork: workOf(true),
    tokenDimensions: 0,
    maxTokens: 512,
    cutSide: 'right',
    ...{ admission, metrics, memory },
  });
  const { signal } = new AbortController();
  const submit = (text: string) =>
    scheduler.submit({ inputs: [text], truncate: true, paramOf: String }, signal);
  await Promise.all(['a', 'b', 'c'].map(submit));
  const held = submit('held');
  let refused = 0;
  const reason = () => new AppError('model_loading', `call ${(refused += 1)}`);
  scheduler.refuseAll(reason);
  await expect(held).rejects.toThrow('call 1');
  isHeld.resolve();
  scheduler.refuseAll(reason);
  expect([refused, admission.tokens, scheduler.length]).toEqual([1, 0, 0]);
});
