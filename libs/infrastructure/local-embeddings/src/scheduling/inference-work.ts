import { AppError, type Logger } from '@morgan/foundation';
import type { Admission } from './admission.ts';
import type { BatchMemory } from '../batch-memory.ts';
import { batchBytes, type BatchCost, longestWithin } from '../processes/batch-cost.ts';
import type { BatchWork, BegunBatch } from './batcher.ts';
import type { EmbeddingMetrics } from '../embedding-metrics.ts';
import type { BatchLimits, QueueItem } from './fair-queue.ts';
import { ProcessCrashedError } from '../processes/model-process.ts';
import type { TaskResult } from '../processes/process-protocol.ts';
import { Quarantine } from './quarantine.ts';

/** Longest part of the runtime's own words that a message holds. */
const REASON_CHARACTERS = 300;

/** What inference needs besides its batches. */
export interface InferenceParts {
  readonly limits: BatchLimits;
  /** Whether vectors of tokens are made, and not one for each input. */
  readonly perToken: boolean;
  /** What batches cost, and where they take it from. */
  readonly cost: BatchCost;
  readonly memory: BatchMemory;
  readonly processes: () => number;
  readonly admission: Admission;
  readonly metrics: EmbeddingMetrics;
  readonly logger: Logger;
}

/** Makes vectors of token ids. */
export class InferenceWork implements BatchWork<'run'> {
  readonly type = 'run';
  readonly limits: BatchLimits;
  readonly #parts: InferenceParts;
  readonly #quarantine = new Quarantine();

  constructor(parts: InferenceParts) {
    this.#parts = parts;
    this.limits = parts.limits;
  }

  /** Fails an input that can never fit into memory, or is known to end processes. @returns whether it may be run */
  admits(item: QueueItem): boolean {
    if (!this.#fits(item)) return false;
    const { job, position } = item;
    if (!this.#quarantine.has(job.windowOf(position).row.ids)) return true;
    const param = job.request.paramOf(position);
    const message = 'This input has ended the model process before and is not tried again for now.';
    job.fail(new AppError('inference_failed', message, { param }));
    return false;
  }

  begin(items: readonly QueueItem[]): BegunBatch<'run'> | undefined {
    const { memory, cost, perToken } = this.#parts;
    const longest = items.reduce((one, other) => (other.size > one.size ? other : one));
    // There was room for it when it came; a model that was loaded since may have taken that.
    if (!this.#fits(longest)) return undefined;
    const leastBytes = batchBytes(cost, 1, longest.size);
    const mostBytes = batchBytes(cost, items.length, longest.size);
    const budgetBytes = memory.take(this, { leastBytes, mostBytes });
    if (budgetBytes === undefined) return undefined;
    const rows = items.map(({ job, position }) => job.windowOf(position).row);
    return { task: { rows, budgetBytes, perToken }, end: () => memory.give(budgetBytes) };
  }

  giveUp(): void {
    this.#parts.memory.giveUp(this);
  }

  deliver(
    items: readonly QueueItem[],
    { vectors, faults, inferenceMs }: TaskResult<'run'>,
  ): readonly QueueItem[] {
    const { metrics, admission, processes, perToken } = this.#parts;
    const tokens = sizeOf(items);
    const dimensions = vectors.length / (perToken ? tokens : items.length);
    let end = 0;
    metrics.ran(items.length, inferenceMs);
    admission.measured(tokens, inferenceMs, processes());
    const reasons = new Map(faults.map(({ row, reason }) => [row, reason]));
    const again: QueueItem[] = [];
    items.forEach((item, row) => {
      const { job, position, size } = item;
      const start = end;
      end += perToken ? size * dimensions : dimensions;
      const reason = reasons.get(row);
      if (reason !== undefined && this.#mayBeCompany(item, items.length, reason))
        return void again.push(item);
      admission.adjust(job, -size);
      if (reason !== undefined) return job.settled ? undefined : this.#refuse(item, reason);
      // Also for a call that is over: whoever asks next need not have it computed again.
      metrics.texts.inc();
      metrics.tokens.inc(undefined, size);
      if (job.windowOf(position).truncated) metrics.truncated.inc();
      // A copy: a view would keep the vectors of the whole batch alive for as long as one of them is cached.
      job.complete(position, vectors.slice(start, end), size);
    });
    return again;
  }

  onFailed({ job, position }: QueueItem, cause: Error): void {
    const { metrics, logger } = this.#parts;
    if (cause instanceof ProcessCrashedError) this.#quarantine.add(job.windowOf(position).row.ids);
    const param = job.request.paramOf(position);
    const reason = cause.message.replace(/\s+/g, ' ').trim().slice(0, REASON_CHARACTERS);
    metrics.failed.inc();
    logger.error(
      { param, tokens: job.windowOf(position).row.ids.length, reason },
      'the model failed on an input',
    );
    job.fail(new AppError('inference_failed', `The model failed on this input: ${reason}`, { param, cause }));
  }

  #fits({ job, position, size }: QueueItem): boolean {
    const { memory, cost, metrics } = this.#parts;
    if (batchBytes(cost, 1, size) <= memory.mostBytes) return true;
    if (!job.settled) metrics.refused.inc({ reason: 'memory' });
    job.fail(doesNotFit(job.request.paramOf(position), size, longestWithin(cost, memory.mostBytes)));
    return false;
  }

  /** Masks of padding, which a text has beside longer ones only, overflow in 16 bits: it may well have a vector alone. */
  #mayBeCompany({ job, position }: QueueItem, together: number, reason: string): boolean {
    if (together === 1 || job.settled || !job.mayRetry(position)) return false;
    const param = job.request.paramOf(position);
    this.#parts.logger.warn(
      { param, reason, together },
      'a vector in a batch is not finite; its input is tried alone',
    );
    return true;
  }

  /** A vector that is none would do harm wherever it is stored. */
  #refuse({ job, position }: QueueItem, reason: string): void {
    const param = job.request.paramOf(position);
    this.#parts.metrics.faultyVectors.inc();
    this.#parts.logger.error({ param, reason }, 'the model gave a vector that is not finite');
    job.fail(
      new AppError('vector_not_finite', `The model gave no vector for this input: ${reason}.`, { param }),
    );
  }
}

function doesNotFit(param: string, count: number, limit: number): AppError {
  return new AppError(
    'context_length_exceeded',
    `The input has ${count} tokens; the memory of this service has room for ${limit}. EMBEDDING_MEMORY_LIMIT_MB or EMBEDDING_MAX_TOKENS would change that.`,
    { param },
  );
}

function sizeOf(items: readonly QueueItem[]): number {
  return items.reduce((sum, { size }) => sum + size, 0);
}
