import {
  AppError,
  type CallContext,
  type LeaveReason,
  newCall,
  parseSettings,
  type Policy,
  Waiter,
  type Work,
  requireName,
} from '@morgan/foundation';
import type { ConcurrencyMetrics, BulkheadRefusal } from './concurrency-metrics.ts';
import { type BulkheadConfig, bulkheadConfig, type BulkheadSettings } from './concurrency.config.ts';

/** What a {@link Bulkhead} is made of. */
export interface BulkheadOptions extends BulkheadSettings {
  /** A configured name, for status and metrics. */
  readonly name: string;
  readonly metrics?: ConcurrencyMetrics | undefined;
}

/** The state of a {@link Bulkhead}. */
export interface BulkheadStatus {
  readonly name: string;
  readonly running: number;
  readonly waiting: number;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  /** How long a slot has lately been held, on average; undefined before the first call has ended. */
  readonly serviceMs: number | undefined;
  readonly refused: Readonly<Record<BulkheadRefusal, number>>;
}

/** A call that needs a slot. */
export interface SlotRequest extends CallContext {
  /** How long it waits for one at most, in milliseconds; 0: not at all, NaN is a RangeError. Default: as long as its deadline and the queue allow. */
  readonly maxWaitMs?: number | undefined;
}

/** The weight of a new service time in the running average. */
const SERVICE_TIME_WEIGHT = 0.1;

const MESSAGES: Readonly<Record<Exclude<BulkheadRefusal, 'aborted'>, string>> = {
  full: 'Too many calls are running, and the queue is full.',
  deadline: 'Too many calls are running for this one to begin before its deadline.',
  wait: 'Too many calls are running for this one to begin in the time that it may wait.',
};

/**
 * Lets at most `maxConcurrent` calls run at a time; `maxQueue` more wait, first come first served.
 * @throws AppError `bulkhead_full` with `retryAfterMs`; the reason of the signal when it aborts in the queue.
 */
export class Bulkhead implements Policy {
  /** First come first served. */
  readonly #queue = new Map<Waiter, SlotRequest>();
  readonly #refused: Record<BulkheadRefusal, number> = { full: 0, deadline: 0, wait: 0, aborted: 0 };
  #running = 0;
  #maxConcurrent: number;
  #serviceMs: number | undefined;

  readonly #config: BulkheadConfig;

  readonly #name: string;
  readonly #metrics: ConcurrencyMetrics | undefined;

  /** @throws ConfigError, which names every setting that is wrong or unknown; TypeError without a name. */
  constructor({ name, metrics, ...settings }: BulkheadOptions) {
    this.#name = requireName('Bulkhead', name);
    this.#metrics = metrics;
    this.#config = parseSettings(bulkheadConfig, settings);
    this.#maxConcurrent = this.#config.maxConcurrent;
    metrics?.watch(this);
  }

  /** Calls that run now. */
  get running(): number {
    return this.#running;
  }

  async execute<Result>(work: Work<Result>, context: CallContext = newCall()): Promise<Result> {
    const begun = this.begin(context);
    const end = begun instanceof Promise ? await begun : begun;
    this.#checkPresent(context);
    try {
      return await work(context);
    } finally {
      end();
    }
  }

  /**
   * Takes a slot, which is held until the function that is returned is called, once: at once where one is free.
   * @throws or rejects as {@link execute}; then no slot is held.
   */
  begin(context: SlotRequest): (() => void) | Promise<() => void> {
    context.signal.throwIfAborted();
    if (Number.isNaN(context.maxWaitMs))
      throw new RangeError('the longest wait must be a number of milliseconds');
    // Nobody waits while a slot is free, so taking one overtakes nobody.
    if (this.#running >= this.#maxConcurrent) return this.#inTurn(context);
    this.#running += 1;
    return this.#hold();
  }

  /**
   * Changes how many calls may run. Those that run are never stopped; a smaller limit is reached as they end.
   * @throws ConfigError for what `maxConcurrent` of the configuration may not be either.
   */
  resize(maxConcurrent: number): void {
    this.#maxConcurrent = parseSettings(bulkheadConfig.unwrap().shape.maxConcurrent, maxConcurrent);
    this.#admitNext();
  }

  /**
   * How long a call that comes now would wait for a slot: 0 where one is free, undefined where that is not known or it
   * would be refused. Takes nothing.
   */
  waitMs(): number | undefined {
    if (this.#running < this.#maxConcurrent) return 0;
    return this.#queue.size < this.#config.maxQueue ? this.#expectedWaitMs(this.#queue.size) : undefined;
  }

  /** Shows in no gauge any more. Calls that are running or waiting end as they would. */
  stop(): void {
    this.#metrics?.forget(this);
  }

  getStatus(): BulkheadStatus {
    return {
      name: this.#name,
      running: this.#running,
      waiting: this.#queue.size,
      maxConcurrent: this.#maxConcurrent,
      maxQueue: this.#config.maxQueue,
      serviceMs: this.#serviceMs,
      refused: { ...this.#refused },
    };
  }

  #hold(): () => void {
    const startedAt = performance.now();
    return () => this.#release(performance.now() - startedAt);
  }

  async #inTurn(context: SlotRequest): Promise<() => void> {
    await this.#slot(context);
    this.#checkPresent(context);
    return this.#hold();
  }

  /** Who left between its turn and this moment gives its slot back, unused: that is no service time. */
  #checkPresent({ signal }: CallContext): void {
    if (signal.aborted) this.#free();
    signal.throwIfAborted();
  }

  /** Resolves when the caller holds a slot. */
  #slot(context: SlotRequest): Promise<void> {
    const { signal, deadline, maxWaitMs = Infinity } = context;
    if (maxWaitMs <= 0) throw this.#refusal('wait');
    if (deadline && !deadline.allows(this.#expectedWaitMs(this.#queue.size) ?? 0))
      throw this.#refusal('deadline');
    if (this.#queue.size >= this.#config.maxQueue) throw this.#refusal('full');
    const waiter = new Waiter(signal, (leaving, why) => this.#leave(leaving, why, context));
    const mayWaitMs = Math.min(maxWaitMs, deadline?.remainingMs() ?? Infinity);
    if (mayWaitMs < Infinity) waiter.limit(mayWaitMs);
    this.#queue.set(waiter, context);
    return waiter.turn;
  }

  #leave(waiter: Waiter, why: LeaveReason, { signal, deadline, maxWaitMs }: SlotRequest): void {
    this.#queue.delete(waiter);
    const isDeadline = maxWaitMs === undefined || deadline?.passed;
    if (why === 'timeout') return waiter.refuse(this.#refusal(isDeadline ? 'deadline' : 'wait'));
    this.#count('aborted');
    waiter.refuse(signal.reason);
  }

  #release(heldMs: number): void {
    this.#serviceMs =
      this.#serviceMs === undefined
        ? heldMs
        : this.#serviceMs + SERVICE_TIME_WEIGHT * (heldMs - this.#serviceMs);
    this.#free();
  }

  #free(): void {
    this.#running -= 1;
    this.#admitNext();
  }

  #admitNext(): void {
    for (const [waiter, context] of this.#queue) {
      if (this.#running >= this.#maxConcurrent) return;
      // A busy event loop may hold its timer back.
      if (context.deadline?.passed) {
        this.#leave(waiter, 'timeout', context);
        continue;
      }
      this.#queue.delete(waiter);
      this.#running += 1;
      this.#metrics?.waited(this.#name, performance.now() - waiter.since);
      waiter.admit();
    }
  }

  #refusal(why: Exclude<BulkheadRefusal, 'aborted'>): AppError {
    this.#count(why);
    const waitMs = this.#expectedWaitMs(this.#queue.size);
    return new AppError('bulkhead_full', MESSAGES[why], {
      retryAfterMs: waitMs === undefined ? undefined : Math.max(1, Math.ceil(waitMs)),
    });
  }

  #count(why: BulkheadRefusal): void {
    this.#refused[why] += 1;
    this.#metrics?.refused(this.#name, why);
  }

  /** By Little's law, a slot becomes free every `serviceMs / maxConcurrent`. */
  #expectedWaitMs(ahead: number): number | undefined {
    if (this.#serviceMs === undefined) return undefined;
    const mustEnd = ahead + 1 + Math.max(0, this.#running - this.#maxConcurrent);
    return (mustEnd * this.#serviceMs) / this.#maxConcurrent;
  }
}
