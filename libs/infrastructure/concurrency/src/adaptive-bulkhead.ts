import {
  assessCall,
  type CallAssessor,
  type CallContext,
  type CallEnding,
  type Policy,
  type Work,
} from '@morgan/foundation';
import { AdaptiveLimit, type AdaptiveLimitStatus } from './adaptive-limit.ts';
import { Bulkhead, type BulkheadOptions, type BulkheadStatus } from './bulkhead.ts';
import type { AdaptiveLimitConfig } from './concurrency.config.ts';

/** What an {@link AdaptiveBulkhead} is made of. */
export interface AdaptiveBulkheadOptions extends Omit<BulkheadOptions, 'config'> {
  readonly limit: AdaptiveLimitConfig;
  /** Calls that may wait for a slot at a time. */
  readonly maxQueue: number;
  /**
   * Says which calls their host served, whose latency counts, and which it gave up for overload. Others tell nothing.
   * Default: {@link assessCall}.
   */
  readonly assess?: CallAssessor | undefined;
}

/** The state of an {@link AdaptiveBulkhead}. */
export interface AdaptiveBulkheadStatus extends BulkheadStatus {
  readonly adaptive: AdaptiveLimitStatus;
}

/** A {@link Bulkhead} that finds `maxConcurrent` by itself, with an {@link AdaptiveLimit} on the latency of its calls. */
export class AdaptiveBulkhead implements Policy {
  readonly #bulkhead: Bulkhead;
  readonly #limit: AdaptiveLimit;
  readonly #assess: CallAssessor;

  constructor({ limit, maxQueue, assess = assessCall, ...options }: AdaptiveBulkheadOptions) {
    this.#limit = new AdaptiveLimit(limit);
    this.#bulkhead = new Bulkhead({ ...options, config: { maxConcurrent: this.#limit.limit, maxQueue } });
    this.#assess = assess;
  }

  execute<Result>(work: Work<Result>, context: CallContext): Promise<Result> {
    return this.#bulkhead.execute((admitted) => this.#measured(work, admitted), context);
  }

  /** See {@link Bulkhead.waitMs}. */
  waitMs(): number | undefined {
    return this.#bulkhead.waitMs();
  }

  /** See {@link Bulkhead.stop}. */
  stop(): void {
    this.#bulkhead.stop();
  }

  getStatus(): AdaptiveBulkheadStatus {
    return { ...this.#bulkhead.getStatus(), adaptive: this.#limit.getStatus() };
  }

  async #measured<Result>(work: Work<Result>, context: CallContext): Promise<Result> {
    const startedAtMs = performance.now();
    const inFlight = this.#bulkhead.running;
    const record = (ending: CallEnding): void => {
      const { verdict, overloaded } = this.#assess(ending, context);
      if (overloaded || verdict === 'success') this.#record(overloaded, startedAtMs, inFlight);
    };
    try {
      const result = await work(context);
      record({ result });
      return result;
    } catch (error) {
      record({ error });
      throw error;
    }
  }

  #record(dropped: boolean, startedAtMs: number, inFlight: number): void {
    const before = this.#limit.limit;
    this.#limit.record({ startedAtMs, endedAtMs: performance.now(), inFlight, dropped });
    if (this.#limit.limit !== before) this.#bulkhead.resize(this.#limit.limit);
  }
}
