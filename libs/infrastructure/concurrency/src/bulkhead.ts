import { AppError, type CallContext, type Policy, type Work } from '@morgan/foundation';
import type { ConcurrencyMetrics, BulkheadRefusal } from './concurrency-metrics.ts';
import type { BulkheadConfig } from './concurrency.config.ts';
import { Waiter } from './waiter.ts';
import { WaitingLine } from './waiting-line.ts';

/** What a {@link Bulkhead} is made of. */
export interface BulkheadOptions {
  /** A configured name, for status and metrics. */
  readonly name: string;
  readonly config: BulkheadConfig;
  /** Higher is served first and given up last. Default: all are equal. */
  readonly priorityOf?: (context: CallContext) => number;
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

/** The weight of a new service time in the running average. */
const SERVICE_TIME_WEIGHT = 0.1;

const MESSAGES: Readonly<Record<Exclude<BulkheadRefusal, 'aborted'>, string>> = {
  full: 'Too many calls are going on, and the queue is full.',
  displaced: 'Too many calls are going on, and a more important one took the place in the queue.',
  deadline: 'Too many calls are going on for this one to begin before its deadline.',
};

/**
 * Lets at most `maxConcurrent` calls go on at a time; `maxQueue` more wait, by priority and then first come first
 * served. A full queue gives up its newest call of the lowest priority for a more important one.
 * @throws AppError `bulkhead_full` with `retryAfterMs`; the reason of the signal when it aborts in the queue.
 */
export class Bulkhead implements Policy {
  readonly #line = new WaitingLine();
  readonly #refused: Record<BulkheadRefusal, number> = { full: 0, displaced: 0, deadline: 0, aborted: 0 };
  #running = 0;
  #maxConcurrent: number;
  #serviceMs: number | undefined;

  constructor(private readonly options: BulkheadOptions) {
    this.#maxConcurrent = options.config.maxConcurrent;
  }

  /** Calls that go on now. */
  get running(): number {
    return this.#running;
  }

  async execute<Result>(work: Work<Result>, context: CallContext): Promise<Result> {
    // Nobody waits while a slot is free, so taking one overtakes nobody.
    if (this.#running < this.#maxConcurrent) this.#running += 1;
    else await this.#slot(context);
    const startedAt = performance.now();
    try {
      context.signal.throwIfAborted();
      return await work(context);
    } finally {
      this.#release(performance.now() - startedAt);
    }
  }

  /** Changes how many calls may go on. Those that go on are never stopped; a smaller limit is reached as they end. */
  resize(maxConcurrent: number): void {
    this.#maxConcurrent = maxConcurrent;
    this.#admitNext();
  }

  /**
   * How long a call that comes now would wait for a slot: 0 where one is free, undefined where that is not known or it
   * would be refused. Takes nothing.
   */
  waitMs(): number | undefined {
    if (this.#running < this.#maxConcurrent) return 0;
    return this.#line.length < this.options.config.maxQueue
      ? this.#expectedWaitMs(this.#line.length)
      : undefined;
  }

  getStatus(): BulkheadStatus {
    return {
      name: this.options.name,
      running: this.#running,
      waiting: this.#line.length,
      maxConcurrent: this.#maxConcurrent,
      maxQueue: this.options.config.maxQueue,
      serviceMs: this.#serviceMs,
      refused: { ...this.#refused },
    };
  }

  /** Resolves when the caller holds a slot. */
  async #slot(context: CallContext): Promise<void> {
    context.signal.throwIfAborted();
    const priority = this.options.priorityOf?.(context) ?? 0;
    const ahead = this.#line.ahead(priority);
    if (context.deadline && !context.deadline.allows(this.#expectedWaitMs(ahead) ?? 0)) {
      throw this.#refusal('deadline');
    }
    if (this.#line.length >= this.options.config.maxQueue) {
      const { last } = this.#line;
      if (!last || last.priority >= priority) throw this.#refusal('full');
      this.#line.remove(last);
      last.refuse(this.#refusal('displaced'));
    }
    return this.#queue(context, priority);
  }

  #queue(context: CallContext, priority: number): Promise<void> {
    return new Promise((admitted, refused) => {
      this.#line.add(
        new Waiter(context, priority, {
          admitted,
          refused,
          leaves: (waiter, why) => {
            this.#line.remove(waiter);
            waiter.refuse(why === 'aborted' ? this.#abandoned(waiter) : this.#refusal(why));
          },
        }),
      );
    });
  }

  #release(heldMs: number): void {
    this.#running -= 1;
    this.#serviceMs =
      this.#serviceMs === undefined
        ? heldMs
        : this.#serviceMs + SERVICE_TIME_WEIGHT * (heldMs - this.#serviceMs);
    if (this.#line.length > 0) this.#admitNext();
  }

  #admitNext(): void {
    while (this.#running < this.#maxConcurrent) {
      const { first } = this.#line;
      if (!first) return;
      this.#line.remove(first);
      // A busy event loop may hold its timer back.
      if (first.context.deadline?.passed) {
        first.refuse(this.#refusal('deadline'));
        continue;
      }
      this.#running += 1;
      this.options.metrics?.waited(this.options.name, performance.now() - first.since);
      first.admit();
    }
  }

  #abandoned(waiter: Waiter): Error {
    this.#count('aborted');
    return waiter.context.signal.reason as Error;
  }

  #refusal(why: Exclude<BulkheadRefusal, 'aborted'>): AppError {
    this.#count(why);
    const waitMs = this.#expectedWaitMs(this.#line.length);
    return new AppError('bulkhead_full', MESSAGES[why], {
      retryAfterMs: waitMs === undefined ? undefined : Math.max(1, Math.ceil(waitMs)),
    });
  }

  #count(why: BulkheadRefusal): void {
    this.#refused[why] += 1;
    this.options.metrics?.refused(this.options.name, why);
  }

  /** By Little's law, a slot becomes free every `serviceMs / maxConcurrent`. */
  #expectedWaitMs(ahead: number): number | undefined {
    if (this.#serviceMs === undefined) return undefined;
    const mustEnd = ahead + 1 + Math.max(0, this.#running - this.#maxConcurrent);
    return (mustEnd * this.#serviceMs) / this.#maxConcurrent;
  }
}
