import {
  assessCall,
  type CallAssessor,
  type CallContext,
  type CallEnding,
  executeAdmitted,
  newCall,
  type Policy,
  type Work,
} from '@morgan/foundation';
import { AdaptiveLimit, type AdaptiveLimitStatus } from './adaptive-limit.ts';
import { Bulkhead, type BulkheadOptions, type BulkheadStatus, type SlotRequest } from './bulkhead.ts';
import type { AdaptiveLimitSettings } from './concurrency.config.ts';

/** What an {@link AdaptiveBulkhead} is made of. */
export interface AdaptiveBulkheadOptions
  extends Omit<BulkheadOptions, 'maxConcurrent'>, AdaptiveLimitSettings {
  /** Calls that may wait for a slot at a time. Default: as of a {@link Bulkhead}, 100. */
  readonly maxQueue?: number | undefined;
  /**
   * Says which calls their host served, whose latency counts, and which it gave up for overload. Others are not measured.
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

  /** @throws ConfigError, which names every setting that is wrong or unknown; TypeError without a name. */
  constructor({ name, metrics, maxQueue, assess = assessCall, ...settings }: AdaptiveBulkheadOptions) {
    this.#limit = new AdaptiveLimit(settings);
    const config = { maxConcurrent: this.#limit.limit, maxQueue };
    this.#bulkhead = new Bulkhead({ name, metrics, ...config });
    this.#assess = assess;
  }

  execute<Result>(work: Work<Result>, context: CallContext = newCall()): Promise<Result> {
    return executeAdmitted(this, work, context);
  }

  /** As {@link Bulkhead.begin}; the function that is returned takes how the call went. */
  begin(context: SlotRequest): ((ending: CallEnding) => void) | Promise<(ending: CallEnding) => void> {
    const begun = this.#bulkhead.begin(context);
    if (begun instanceof Promise) return begun.then((release) => this.#measure(release, context));
    return this.#measure(begun, context);
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

  #measure(release: () => void, context: CallContext): (ending: CallEnding) => void {
    const startedAtMs = performance.now();
    const inFlight = this.#bulkhead.running;
    return (ending) => {
      try {
        const { verdict, overloaded } = this.#assess(ending, context);
        if (overloaded || verdict === 'success') this.#record(overloaded, startedAtMs, inFlight);
      } finally {
        release();
      }
    };
  }

  #record(dropped: boolean, startedAtMs: number, inFlight: number): void {
    const before = this.#limit.limit;
    this.#limit.record({ startedAtMs, endedAtMs: performance.now(), inFlight, dropped });
    if (this.#limit.limit !== before) this.#bulkhead.resize(this.#limit.limit);
  }
}
