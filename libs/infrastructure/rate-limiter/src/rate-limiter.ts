import {
  AppError,
  type Deadline,
  type Logger,
  parseSettings,
  silentLogger,
  requireName,
} from '@morgan/foundation';
import type { RedisConnection } from '@morgan/redis';
import type { Decision, LimitRefusal } from './decision.ts';
import { capacityOf, isAmount, type Limit } from './limit.ts';
import type { LimitStore, StoreStatus } from './limit-store.ts';
import { LocalLimitStore } from './local-limit-store.ts';
import { Permit } from './permit.ts';
import { rateLimiterConfig, type RateLimiterSettings } from './rate-limiter.config.ts';
import type { LimitOutcome, RateLimiterMetrics } from './rate-limiter-metrics.ts';
import { RedisLimitStore } from './redis-limit-store.ts';
import { LimitQueue, type QueueObserver } from './limit-queue.ts';
import type { Patience } from './limit-waiter.ts';

/** What bounds the wait of one `acquire`. The nearest bound counts. */
export interface AcquireOptions {
  readonly signal?: AbortSignal | undefined;
  readonly deadline?: Deadline | undefined;
  /** Milliseconds; 0 does not wait at all, NaN is a RangeError. Default: `maxWaitMs` of the configuration. */
  readonly maxWaitMs?: number | undefined;
}

/** What a limiter uses. */
export interface RateLimiterParts {
  /** Shares the limit with every process that has a limiter of this name. Without it the limit is this process's own. */
  readonly redis?: RedisConnection | undefined;
  readonly metrics?: RateLimiterMetrics | undefined;
  readonly logger?: Logger | undefined;
}

/** What a {@link RateLimiter} is made of. */
export interface RateLimiterOptions extends RateLimiterSettings, RateLimiterParts {
  /** Stands in status and metric labels, and in Redis, where limiters of one name share what they let through. */
  readonly name: string;
}

/** The state of one key now. */
export interface KeyStatus {
  /** Units in use. */
  readonly used: number;
  /** Used part of the capacity; above 1 when calls cost more than they had reserved. */
  readonly utilisation: number;
  /** Callers of this process that wait for it. */
  readonly waiting: number;
}

/** The state of a limiter: totals since the start, and what it is doing now. */
export interface RateLimiterStatus {
  readonly name: string;
  readonly limit: Limit;
  readonly admitted: number;
  readonly refused: number;
  /** Callers that gave up while they waited. */
  readonly aborted: number;
  readonly waiting: number;
  readonly store: StoreStatus;
}

/**
 * Lets through so many units per key and time. Callers that must wait do so in the order in which they came; those that
 * would wait longer than they may are refused at once. Keys should be short and no secrets: they are names in Redis.
 */
export class RateLimiter {
  readonly name: string;
  readonly #limit: Limit;
  /** The most that one call may cost, in units: more would never fit. */
  readonly capacity: number;
  readonly #maxWaitMs: number;
  readonly #store: LimitStore;
  readonly #queues = new Map<string, LimitQueue>();
  readonly #figures = { admitted: 0, refused: 0, aborted: 0 };
  readonly #observer: QueueObserver;
  readonly #metrics: RateLimiterMetrics | undefined;
  readonly #counters: ReturnType<RateLimiterMetrics['watch']> | undefined;

  /** @throws ConfigError, which names every setting that is wrong or unknown; TypeError without a name. */
  constructor({ name, redis, metrics, logger = silentLogger, ...settings }: RateLimiterOptions) {
    const config = parseSettings(rateLimiterConfig, settings);
    const { algorithm, limit, windowMs, burst = limit, maxWaitMs } = config;
    this.name = requireName('RateLimiter', name);
    this.#limit = { algorithm, limit, windowMs, burst };
    this.capacity = capacityOf(this.#limit);
    this.#maxWaitMs = maxWaitMs;
    this.#store = redis
      ? new RedisLimitStore(this.#limit, { ...config, name, redis, logger })
      : new LocalLimitStore(this.#limit);
    this.#metrics = metrics;
    this.#counters = metrics?.watch(this);
    this.#observer = {
      admitted: (waitedMs) => {
        this.#count('admitted');
        metrics?.waited(name, waitedMs);
      },
      refused: () => this.#count('refused'),
      aborted: () => this.#count('aborted'),
      settled: (key) => this.#queues.get(key)?.reconsider(),
      emptied: (key) => this.#queues.delete(key),
    };
  }

  /**
   * Waits for its turn. @param cost units, such as requests or tokens; an estimate can be settled on the permit.
   * @throws AppError `rate_limited` with the exact `retryAfterMs` when the wait would be too long, `cost_above_limit`,
   * `rate_limiter_unavailable`; the reason of the signal when it is aborted.
   */
  async acquire(key: string, cost = 1, options?: AcquireOptions): Promise<Permit> {
    return this.take(key, cost, options);
  }

  /** As {@link acquire}, but at once where nothing has to be waited for and nobody asked. @throws or rejects as `acquire`. */
  take(key: string, cost = 1, options?: AcquireOptions): Permit | Promise<Permit> {
    const decision = this.#decide(key, cost, options);
    return decision instanceof Promise ? decision.then(permitOf) : permitOf(decision);
  }

  /** Does not wait; a refusal is a value here. Behind callers that wait it is refused. @throws as `acquire` does. */
  tryAcquire(key: string, cost = 1): Promise<Decision> {
    const decision = this.#decide(key, cost, { maxWaitMs: 0 });
    return decision instanceof Promise ? decision : Promise.resolve(decision);
  }

  /**
   * How long an `acquire` that comes now would wait, in milliseconds, as far as this process knows; with Redis others
   * may have used up what looks free here. Takes nothing.
   */
  peekWaitMs(key: string, cost = 1): number {
    const queue = this.#queues.get(key);
    return this.#store.peekWaitMs(key, this.#store.chargeOf(cost) + (queue?.charge ?? 0));
  }

  /** Shows in no metric any more and leaves no timer but those of calls that wait. */
  stop(): void {
    this.#store.stop();
    this.#metrics?.forget(this);
  }

  /**
   * Admits nothing for this key for so long: its host has answered 429 with `Retry-After`.
   * @throws RangeError for what is no number of milliseconds, 0 or more.
   */
  async penalize(key: string, retryAfterMs: number): Promise<void> {
    if (!isAmount(retryAfterMs))
      throw new RangeError('a penalty must be a number of milliseconds, 0 or more');
    await this.#store.penalize(key, retryAfterMs);
    this.#queues.get(key)?.reconsider();
  }

  /** Uses up what is left of a key: its host has answered 429 and not said for how long. */
  async drain(key: string): Promise<void> {
    await this.#store.drain(key);
    this.#queues.get(key)?.reconsider();
  }

  async inspect(key: string): Promise<KeyStatus> {
    const used = await this.#store.used(key);
    return { used, utilisation: used / this.capacity, waiting: this.#queues.get(key)?.size ?? 0 };
  }

  getStatus(): RateLimiterStatus {
    let waiting = 0;
    for (const queue of this.#queues.values()) waiting += queue.size;
    return { name: this.name, limit: this.#limit, ...this.#figures, waiting, store: this.#store.getStatus() };
  }

  /** A promise only where the caller must wait, or the store be asked. */
  #decide(key: string, cost: number, options?: AcquireOptions): Decision | Promise<Decision> {
    if (options?.signal?.aborted) return Promise.reject(options.signal.reason as Error);
    if (!(cost >= 0)) return Promise.reject(new RangeError('a cost must be a number of units, 0 or more'));
    if (Number.isNaN(options?.maxWaitMs))
      return Promise.reject(new RangeError('the longest wait must be a number of milliseconds'));
    if (cost > this.capacity) return Promise.reject(costError(cost, this.capacity));
    const patience = this.#patience(options);
    const queue = this.#queues.get(key);
    if (queue) return queue.enter(cost, patience);
    const decision = this.#store.decideNow(key, [{ cost, patienceMs: patience.ms }], 0);
    if (!decision) return this.#openQueue(key).enter(cost, patience);
    const waitMs = decision.waits[0] as number;
    if (waitMs === 0) {
      this.#count('admitted');
      return new Permit(key, cost, decision, this.#observer.settled);
    }
    if (waitMs <= patience.ms) return this.#openQueue(key).enter(cost, patience);
    this.#count('refused');
    return { admitted: false, retryAfterMs: waitMs, utilisation: decision.utilisation };
  }

  #count(outcome: LimitOutcome): void {
    this.#figures[outcome] += 1;
    this.#counters?.[outcome].inc();
  }

  #patience(options: AcquireOptions | undefined): Patience {
    if (!options) return { ms: this.#maxWaitMs };
    const { signal, deadline, maxWaitMs = this.#maxWaitMs } = options;
    return { ms: Math.min(maxWaitMs, deadline?.remainingMs() ?? Infinity), deadline, signal };
  }

  #openQueue(key: string): LimitQueue {
    const queue = new LimitQueue(key, this.#store, this.#observer);
    this.#queues.set(key, queue);
    return queue;
  }
}

function permitOf(decision: Decision): Permit {
  if (decision.admitted) return decision;
  throw refusalError(decision);
}

function refusalError({ retryAfterMs }: LimitRefusal): AppError {
  const wait = Math.ceil(retryAfterMs);
  return new AppError('rate_limited', `The rate limit is reached; try again in ${wait} ms.`, {
    retryAfterMs: wait,
  });
}

function costError(cost: number, capacity: number): AppError {
  return new AppError(
    'cost_above_limit',
    `This call costs ${cost} units, and the rate limit never lets more than ${capacity} through at once.`,
  );
}
