import { AppError, type Logger } from '@morgan/foundation';
import type { Admission } from './admission.ts';
import type { BatchMemory } from '../batch-memory.ts';
import { batchBytes, type BatchCost, longestWithin } from '../processes/batch-cost.ts';
import type { BatchWork, BegunBatch } from './batcher.ts';
import type { EmbeddingMetrics } from '../embedding-metrics.ts';
import type { BatchLimits } from './batch-composition.ts';
import type { QueueItem } from './queue-item.ts';
import { ProcessCrashedError } from '../processes/model-process.ts';
import type { ItemFailure, TaskResult, TokenWindow } from '../processes/process-protocol.ts';
import { Quarantine } from './quarantine.ts';

/** Longest part of the runtime's own words that a message holds. */
const REASON_CHARACTERS = 300;

/** What inference needs besides its batches. */
interface InferenceParts {
  readonly limits: BatchLimits;
  /** Whether vectors of tokens are made, and not one for each input. */
  readonly perToken: boolean;
  /** What batches cost, and where they take it from. */
  readonly cost: BatchCost;
  readonly memory: BatchMemory;
  readonly processes: () => number;
  /** Takes a text that was tokenised and not run. */
  readonly onTokenised: (item: QueueItem, window: TokenWindow | ItemFailure) => void;
  readonly admission: Admission;
  readonly metrics: EmbeddingMetrics;
  readonly logger: Logger;
}

/** Makes vectors of token ids, and of short texts. */
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
    if (!this.#quarantine.has(job.rowOf(position))) return true;
    const param = job.request.paramOf(position);
    const message = 'This input has ended the model process before and is not tried again for now.';
    job.fail(new AppError('inference_failed', message, { param }));
    return false;
  }

  begin(items: readonly QueueItem[]): BegunBatch<'run'> | undefined {
    const { memory, cost, perToken, limits } = this.#parts;
    // There was room for each when it came; a model that was loaded since may have taken that.
    if (!items.every((item) => this.#fits(item))) return undefined;
    const rows = items.map(({ job, position }) => job.rowOf(position));
    const longest = items.reduce((size, item) => Math.max(size, item.size), 0);
    const leastBytes = Math.min(batchBytes(cost, 1, longest), memory.mostBytes);
    // Sizes of texts are estimates: they get what there is.
    const hasTexts = rows.some((row) => 'text' in row);
    const mostBytes = hasTexts ? Infinity : batchBytes(cost, items.length, longest);
    const budgetBytes = memory.take(this, { leastBytes, mostBytes });
    if (budgetBytes === undefined) return undefined;
    const task = { rows, budgetBytes, mostTokens: limits.size, perToken };
    return { task, end: () => memory.give(budgetBytes) };
  }

  giveUp(): void {
    this.#parts.memory.giveUp(this);
  }

  deliver(batch: readonly QueueItem[], result: TaskResult<'run'>): readonly QueueItem[] {
    const { unrun, lengths } = result;
    for (const { place, window } of unrun) this.#parts.onTokenised(batch[place] as QueueItem, window);
    if (lengths.length === 0) return [];
    const left = new Set(unrun.map(({ place }) => place));
    return this.#deliverVectors(
      batch.filter((_, place) => !left.has(place)),
      result,
    );
  }

  #deliverVectors(
    items: readonly QueueItem[],
    { vectors, faults, lengths, inferenceMs }: TaskResult<'run'>,
  ): readonly QueueItem[] {
    const { metrics, admission, processes, perToken } = this.#parts;
    const tokens = lengths.reduce((sum, length) => sum + length, 0);
    const dimensions = vectors.length / (perToken ? tokens : items.length);
    let end = 0;
    metrics.ran(items.length, inferenceMs);
    admission.measured(tokens, inferenceMs, processes());
    const reasons = new Map(faults.map(({ row, reason }) => [row, reason]));
    const again: QueueItem[] = [];
    items.forEach((item, row) => {
      const { job, position, size } = item;
      const start = end;
      const length = lengths[row] as number;
      end += perToken ? length * dimensions : dimensions;
      const reason = reasons.get(row);
      if (reason !== undefined && this.#mayBeCompany(item, items.length, reason))
        return void again.push(item);
      admission.adjust(job, -size);
      if (reason !== undefined) return job.settled ? undefined : this.#refuse(item, reason);
      // Also for a call that is over: whoever asks next need not have it computed again.
      metrics.texts.inc();
      metrics.tokens.inc(undefined, length);
      if (job.isTruncated(position)) metrics.truncated.inc();
      // A copy: a view would keep the vectors of the whole batch alive for as long as one of them is cached.
      job.complete(position, vectors.slice(start, end), length);
    });
    return again;
  }

  onFailed({ job, position }: QueueItem, cause: Error): void {
    const { metrics, logger } = this.#parts;
    const row = job.rowOf(position);
    if (cause instanceof ProcessCrashedError) this.#quarantine.add(row);
    const param = job.request.paramOf(position);
    const reason = cause.message.replace(/\s+/g, ' ').trim().slice(0, REASON_CHARACTERS);
    metrics.failed.inc();
    const length = 'ids' in row ? { tokens: row.ids.length } : { characters: row.text.length };
    logger.error({ param, ...length, reason }, 'the model failed on an input');
    job.fail(new AppError('inference_failed', `The model failed on this input: ${reason}`, { param, cause }));
  }

  /** Of a text that is not tokenised only its process can say it. */
  #fits({ job, position, size }: QueueItem): boolean {
    const { memory, cost, metrics } = this.#parts;
    if (!job.isTokenised(position) || batchBytes(cost, 1, size) <= memory.mostBytes) return true;
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
