import { AppError, type CallContext, type ErrorKind, type Policy, type Work } from '@morgan/foundation';
import { AdaptiveLimit, type AdaptiveLimitStatus } from './adaptive-limit.ts';
import { Bulkhead, type BulkheadOptions, type BulkheadStatus } from './bulkhead.ts';
import type { AdaptiveLimitConfig } from './concurrency.config.ts';

/**
 * What the end of a call says about its host. `served`: its latency counts. `dropped`: the host is overloaded.
 * `unknown`: neither, as a refused connection or an invalid request.
 */
export type CallOutcome = 'served' | 'dropped' | 'unknown';

/** What an {@link AdaptiveBulkhead} is made of. */
export interface AdaptiveBulkheadOptions extends Omit<BulkheadOptions, 'config'> {
  readonly limit: AdaptiveLimitConfig;
  /** Calls that may wait for a slot at a time. */
  readonly maxQueue: number;
  /**
   * Default: a result is `served`; `dropped` is an AppError of the kinds timeout, rate_limited and overloaded, and an
   * error that has, itself or as a cause, the status 429 or 503 or a transport's `reason` that ends in `_timeout`; any
   * other error is `unknown`. Where a 429 or 503 comes back as a result, say so here.
   */
  readonly outcomeOf?: (settled: PromiseSettledResult<unknown>) => CallOutcome;
}

/** The state of an {@link AdaptiveBulkhead}. */
export interface AdaptiveBulkheadStatus extends BulkheadStatus {
  readonly adaptive: AdaptiveLimitStatus;
}

/** A {@link Bulkhead} that finds `maxConcurrent` by itself, with an {@link AdaptiveLimit} on the latency of its calls. */
export class AdaptiveBulkhead implements Policy {
  readonly #bulkhead: Bulkhead;
  readonly #limit: AdaptiveLimit;
  readonly #outcomeOf: (settled: PromiseSettledResult<unknown>) => CallOutcome;

  constructor({ limit, maxQueue, outcomeOf = outcomeOfCall, ...options }: AdaptiveBulkheadOptions) {
    this.#limit = new AdaptiveLimit(limit);
    this.#bulkhead = new Bulkhead({ ...options, config: { maxConcurrent: this.#limit.limit, maxQueue } });
    this.#outcomeOf = outcomeOf;
  }

  execute<Result>(work: Work<Result>, context: CallContext): Promise<Result> {
    return this.#bulkhead.execute((admitted) => this.#measured(work, admitted), context);
  }

  getStatus(): AdaptiveBulkheadStatus {
    return { ...this.#bulkhead.getStatus(), adaptive: this.#limit.getStatus() };
  }

  async #measured<Result>(work: Work<Result>, context: CallContext): Promise<Result> {
    const startedAtMs = performance.now();
    const inFlight = this.#bulkhead.running;
    try {
      const value = await work(context);
      this.#record(this.#outcomeOf({ status: 'fulfilled', value }), startedAtMs, inFlight);
      return value;
    } catch (reason) {
      this.#record(this.#outcomeOf({ status: 'rejected', reason }), startedAtMs, inFlight);
      throw reason;
    }
  }

  #record(outcome: CallOutcome, startedAtMs: number, inFlight: number): void {
    if (outcome === 'unknown') return;
    const before = this.#limit.limit;
    const dropped = outcome === 'dropped';
    this.#limit.record({ startedAtMs, endedAtMs: performance.now(), inFlight, dropped });
    if (this.#limit.limit !== before) this.#bulkhead.resize(this.#limit.limit);
  }
}

const OVERLOADED_KINDS: ReadonlySet<ErrorKind> = new Set(['timeout', 'rate_limited', 'overloaded']);
const OVERLOADED_STATUSES: ReadonlySet<unknown> = new Set([429, 503]);
const CAUSES_READ = 5;

function outcomeOfCall(settled: PromiseSettledResult<unknown>): CallOutcome {
  if (settled.status === 'fulfilled') return 'served';
  let cause: unknown = settled.reason;
  for (let depth = 0; depth < CAUSES_READ && isObject(cause); depth += 1) {
    if (tellsOfOverload(cause)) return 'dropped';
    cause = cause['cause'];
  }
  return 'unknown';
}

function tellsOfOverload(error: Readonly<Record<string, unknown>>): boolean {
  // The status of an AppError is what our caller gets, not what a host said.
  if (error instanceof AppError) return OVERLOADED_KINDS.has(error.kind);
  const { reason, status, statusCode, response } = error;
  if (typeof reason === 'string' && reason.endsWith('_timeout')) return true;
  return OVERLOADED_STATUSES.has(status ?? statusCode ?? (isObject(response) && response['status']));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
