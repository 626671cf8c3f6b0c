import { AppError, type Logger } from '@morgan/foundation';
import { type Batch, BatchQueue } from './batch-queue.ts';
import { type EmbeddedItem, type EmbeddingJob, RETRY_AFTER_MS } from './embedding-job.ts';
import type { EmbeddingMetrics } from './embedding-metrics.ts';
import type { LocalEmbeddingsConfig } from './local-embeddings.config.ts';
import type { WorkerPool } from './worker-pool.ts';
import type { BatchItem, BatchResult } from './worker-protocol.ts';

const MAX_REASON_LENGTH = 300;

/**
 * Brings jobs and workers together. A free worker takes what waits, up to a batch, and never waits for more: alone a
 * text is not delayed, under load batches fill by themselves.
 */
export class Batcher {
  readonly #queue = new BatchQueue();
  readonly #jobs = new Set<EmbeddingJob>();

  constructor(
    private readonly pool: WorkerPool,
    private readonly limits: Pick<LocalEmbeddingsConfig, 'batchSize' | 'queueLimit'>,
    private readonly metrics: EmbeddingMetrics,
    private readonly logger: Logger,
  ) {}

  /** Texts that wait for a worker. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** Queues a job and resolves with its results. @throws AppError `queue_full`, or what the job failed with */
  async submit(job: EmbeddingJob): Promise<EmbeddedItem[]> {
    const { queueLimit } = this.limits;
    if (this.#queue.length + job.items.length > queueLimit) {
      throw new AppError(
        'queue_full',
        `The queue has no room for ${job.items.length} more texts; its limit is ${queueLimit}.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    this.#jobs.add(job);
    this.#queue.add(job);
    this.dispatch();
    try {
      return await job.done;
    } finally {
      this.#jobs.delete(job);
      this.#queue.remove(job);
    }
  }

  /** Takes a job back: what no worker has begun is dropped. */
  withdraw(job: EmbeddingJob, reason: AppError): void {
    this.#queue.remove(job);
    job.fail(reason);
  }

  /** Refuses everything that waits. */
  turnAway(reason: () => AppError): void {
    for (const job of [...this.#jobs]) this.withdraw(job, reason());
  }

  /** Hands batches to free workers while there are both. */
  dispatch(): void {
    while (this.pool.hasFree) {
      const batch = this.#queue.take(this.limits.batchSize);
      if (!batch) return;
      void this.#run(batch);
    }
  }

  async #run(batch: Batch): Promise<void> {
    const items = batch.parts.map(({ job, position }) => job.items[position] as BatchItem);
    try {
      this.#deliver(batch, items, await this.pool.run(items));
    } catch (error) {
      this.#failed(batch, error);
    }
  }

  #deliver({ parts }: Batch, items: readonly BatchItem[], result: BatchResult): void {
    const { vectors, tokenCounts, dimensions, maxTokens, inferenceMs } = result;
    const faults = new Map(result.faults.map(({ row, reason }) => [row, reason]));
    this.metrics.batches.inc();
    this.metrics.batchSize.observe({}, parts.length);
    this.metrics.inference.observe({}, inferenceMs / 1000);
    let row = 0;
    parts.forEach(({ job, position }, index) => {
      const count = tokenCounts[index] as number;
      const truncated = count > maxTokens;
      if (truncated && !items[index]?.truncate)
        return this.withdraw(job, tooLong(job.paramOf(position), count, maxTokens));
      // A copy: a view would keep the vectors of the whole batch alive for as long as one of them is cached.
      const vector = vectors.slice(row * dimensions, (row + 1) * dimensions);
      const fault = faults.get(row);
      row += 1;
      if (fault !== undefined) return this.#refuse(job, job.paramOf(position), fault);
      this.metrics.texts.inc();
      this.metrics.tokens.inc({}, Math.min(count, maxTokens));
      if (truncated) this.metrics.truncated.inc();
      job.complete(position, { vector, tokenCount: Math.min(count, maxTokens), truncated });
    });
  }

  /** The other inputs of the batch go on; a vector that is none would do harm wherever it is stored. */
  #refuse(job: EmbeddingJob, param: string, reason: string): void {
    this.metrics.faultyVectors.inc();
    this.logger.error({ param, reason }, 'the model gave a vector that is not finite');
    this.withdraw(
      job,
      new AppError('vector_not_finite', `The model gave no vector for this input: ${reason}.`, { param }),
    );
  }

  #failed({ parts }: Batch, cause: unknown): void {
    const reason = reasonOf(cause);
    for (const { job, position } of parts) {
      if (job.settled) continue;
      if (job.mayRetry(position)) this.#queue.putBack(job, position);
      else {
        const param = job.paramOf(position);
        this.withdraw(
          job,
          new AppError('inference_failed', `The model failed on this input twice: ${reason}`, {
            param,
            cause,
          }),
        );
        this.logger.error({ param, reason }, 'the model failed on an input twice');
      }
    }
    this.dispatch();
  }
}

/** What the runtime says, in one line. It speaks of operators and shapes, never of the text. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/\s+/g, ' ').trim().slice(0, MAX_REASON_LENGTH);
}

function tooLong(param: string, count: number, limit: number): AppError {
  return new AppError(
    'context_length_exceeded',
    `The input has ${count} tokens; the model takes at most ${limit}, and truncation is off.`,
    { param },
  );
}
