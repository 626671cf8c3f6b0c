import { setTimeout as delay } from 'node:timers/promises';
import Bottleneck from 'bottleneck';
import { AppError, backoffMs, type CallContext } from '@morgan/foundation';
import { DeadlinePolicy } from '@morgan/retry';
import type { EmbeddingInput } from '../embeddings/embedding-model.ts';
import type { EmbeddingRequest, EmbeddingService } from '../embeddings/embedding.service.ts';
import type { WarmingConfig } from './warming.config.ts';

/** Inputs of one job: what a text of live traffic waits for at most. */
const JOB_INPUTS = 16;
/** How often a job looks whether live traffic still waits. */
const YIELD_MS = 20;
const RETRY_AFTER_MS = 5_000;
/** How often Redis is offered the vectors of a job again: 1.5 s in all, longer than a Redis that was slow is not asked. */
const RETRIES = 4;
const RETRY_BACKOFF = { firstMs: 100, longestMs: 800 };

/** Where one warming stands. Inputs that were there already are skipped: whoever begins again goes on where it broke off. */
export interface WarmingProgress {
  readonly of: number;
  readonly done: number;
  readonly cached: number;
  readonly computed: number;
  /** Inputs that the model refuses or fails on. */
  readonly failed: number;
  /** How often a job was tried again because Redis had not taken its vectors, where one was: those of the try before count as cached. */
  readonly retried?: number;
}

/** How one warming is to be done. */
interface WarmingOptions {
  readonly context: CallContext;
  /** 0 to 9 among warmings; 0 goes first. */
  readonly priority: number;
}

interface Counts {
  cached: number;
  computed: number;
  failed: number;
  retried?: number;
}

/** Puts vectors into the cache before anybody asks for them: in small jobs, at a pace, and only while no live call waits. */
export class CacheWarmer {
  readonly #limiter: Bottleneck;
  readonly #deadline = new DeadlinePolicy();
  #warmings = 0;

  constructor(
    private readonly service: EmbeddingService,
    private readonly config: WarmingConfig,
  ) {
    const { concurrency, inputsPerSecond } = config;
    const minTime = inputsPerSecond === 0 ? 0 : Math.ceil((JOB_INPUTS * 1000) / inputsPerSecond);
    this.#limiter = new Bottleneck({ maxConcurrent: concurrency, minTime });
  }

  /**
   * Resolves when all inputs are through. @param onStep called with the progress after every job
   * @throws AppError `cache_unavailable` where Redis goes on not taking the vectors, `overloaded` where as many warmings as allowed are going on, `deadline_exceeded` also where live calls never end,
   *   and what the model throws but for single inputs
   */
  async warm(
    request: EmbeddingRequest,
    { context, priority }: WarmingOptions,
    onStep: (progress: WarmingProgress) => void,
  ): Promise<void> {
    const { maxCalls } = this.config;
    if (this.#warmings >= maxCalls) {
      throw new AppError('overloaded', `At most ${maxCalls} calls may warm the cache at a time.`, {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    this.#warmings += 1;
    try {
      const work = (bounded: CallContext) => this.#warmAll(request, { context: bounded, priority }, onStep);
      await this.#deadline.execute(work, context);
    } finally {
      this.#warmings -= 1;
    }
  }

  async #warmAll(
    request: EmbeddingRequest,
    { context, priority }: WarmingOptions,
    onStep: (progress: WarmingProgress) => void,
  ): Promise<void> {
    const of = request.inputs.length;
    const progress: Counts & { done: number } = { done: 0, cached: 0, computed: 0, failed: 0 };
    while (progress.done < of) {
      const inputs = request.inputs.slice(progress.done, progress.done + JOB_INPUTS);
      const job = () => this.#perform({ ...request, inputs }, context);
      add(progress, await this.#limiter.schedule({ priority }, job));
      progress.done += inputs.length;
      onStep({ of, ...progress });
    }
  }

  async #perform(request: EmbeddingRequest, context: CallContext): Promise<Counts> {
    context.signal.throwIfAborted();
    while (this.service.waitingInputs > 0) await delay(YIELD_MS, undefined, { signal: context.signal });
    try {
      return await this.#share(request, context);
    } catch (error) {
      if (!isAboutInput(error)) throw error;
      return request.inputs.length === 1
        ? { cached: 0, computed: 0, failed: 1 }
        : this.#oneByOne(request, context);
    }
  }

  /** An answer of Redis that is late, once, is no reason to give up. */
  async #share(request: EmbeddingRequest, context: CallContext): Promise<Counts> {
    for (let retried = 0; ; retried += 1) {
      try {
        const { cached } = await this.service.collect(request, context, 'shared');
        const hits = cached.filter(Boolean).length;
        const counts = { cached: hits, computed: cached.length - hits, failed: 0 };
        return retried === 0 ? counts : { ...counts, retried };
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'cache_unavailable')) throw error;
        if (retried === RETRIES) throw givenUp(error);
      }
      await delay(backoffMs(retried, RETRY_BACKOFF), undefined, { signal: context.signal });
    }
  }

  async #oneByOne(request: EmbeddingRequest, context: CallContext): Promise<Counts> {
    const sum = { cached: 0, computed: 0, failed: 0 };
    for (const input of request.inputs) {
      add(sum, await this.#perform({ ...request, inputs: [input] as EmbeddingInput[] }, context));
    }
    return sum;
  }
}

/** An error that another input would not have met. */
function isAboutInput(error: unknown): boolean {
  return error instanceof AppError && error.param?.startsWith('input[') === true;
}

function givenUp(cause: AppError): AppError {
  const { retryAfterMs } = cause;
  return new AppError('cache_unavailable', `${cause.message} It was tried ${RETRIES + 1} times.`, {
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function add(sum: Counts, { cached, computed, failed, retried }: Counts): void {
  sum.cached += cached;
  sum.computed += computed;
  sum.failed += failed;
  if (retried !== undefined) sum.retried = (sum.retried ?? 0) + retried;
}
