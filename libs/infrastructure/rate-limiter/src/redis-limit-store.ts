import type { Logger } from '@morgan/foundation';
import { nameFault, type RedisConnection } from '@morgan/redis';
import { capacityOf, type Limit, shareOf } from './limit.ts';
import { LIMIT_SCRIPTS } from './limit-scripts.ts';
import type { Ask, Correction, Corrector, LimitStore, StoreDecision, StoreStatus } from './limit-store.ts';
import { LocalLimitStore } from './local-limit-store.ts';
import { storeUnavailable } from './store-unavailable.error.ts';

/** How often Redis is tried while it is gone, callers or not; nobody waits for these tries. */
const RETRY_INTERVAL_MS = 200;
/** Where everything is admitted nothing was taken. */
const NOTHING_TAKEN: Corrector = { correct: () => undefined };
/** Stands for "as long as it takes" in a script. */
const LONGEST_PATIENCE_MS = 1e9;

/** What a shared limit needs. */
interface RedisLimitStoreOptions {
  /** Limiters of the same name and the same namespace of Redis share their keys. */
  readonly name: string;
  readonly redis: RedisConnection;
  readonly replicas: number;
  readonly onStoreFailure: 'local-share' | 'open' | 'closed';
  readonly logger: Logger;
}

/**
 * Keeps the use of every key in Redis, for all replicas. From the first failed ask on, decisions are made in this
 * process without waiting for Redis, until Redis answers again.
 */
export class RedisLimitStore implements LimitStore {
  readonly #limit: Limit;
  readonly #options: RedisLimitStoreOptions;
  readonly #share: LocalLimitStore;
  readonly #arguments: readonly number[];
  #degraded = false;
  #failures = 0;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(limit: Limit, options: RedisLimitStoreOptions) {
    this.#limit = limit;
    this.#options = options;
    this.#share = new LocalLimitStore(shareOf(limit, options.replicas));
    this.#arguments = [limit.limit, limit.windowMs * 1000, limit.burst];
  }

  decideNow(key: string, asks: readonly Ask[], ahead: number): StoreDecision | undefined {
    if (!this.#degraded) return undefined;
    switch (this.#options.onStoreFailure) {
      case 'local-share':
        return this.#share.decideNow(key, asks, ahead);
      case 'open':
        return { at: 0, waits: asks.map(() => 0), utilisation: 0, decidedBy: NOTHING_TAKEN };
      case 'closed':
        return undefined;
    }
  }

  async decide(key: string, asks: readonly Ask[], ahead: number): Promise<StoreDecision> {
    if (!this.#degraded) {
      try {
        const operands = asks.flatMap(({ cost, patienceMs }) => [cost, toMicroseconds(patienceMs)]);
        const reply = (await this.#run(key, 'decide', [ahead, ...operands])) as number[];
        const utilisation = Number(reply.pop()) / capacityOf(this.#limit);
        const [at = 0, ...waits] = reply;
        return { at, waits: waits.map((wait) => wait / 1000), utilisation, decidedBy: this };
      } catch (error) {
        this.#failed(error);
      }
    }
    const decision = this.decideNow(key, asks, ahead);
    if (decision) return decision;
    throw storeUnavailable();
  }

  /** What others have taken is known to Redis alone: 0 until it is degraded, but for a wait that a host asked for. */
  peekWaitMs(key: string, cost: number): number {
    return this.#share.peekWaitMs(key, this.#degraded ? cost : 0);
  }

  correct(key: string, { takenAt, from, to }: Correction): void {
    void this.#send(key, 'correct', [takenAt, to - from]);
  }

  chargeOf(cost: number): number {
    return this.#degraded ? this.#share.chargeOf(cost) : cost;
  }

  async penalize(key: string, ms: number): Promise<void> {
    await Promise.all([this.#share.penalize(key, ms), this.#send(key, 'penalize', [toMicroseconds(ms)])]);
  }

  async drain(key: string): Promise<void> {
    await Promise.all([this.#share.drain(key), this.#send(key, 'drain', [])]);
  }

  async used(key: string): Promise<number> {
    if (this.#degraded) return this.#share.used(key);
    try {
      return Number(await this.#run(key, 'used', []));
    } catch (error) {
      this.#failed(error);
      return this.#share.used(key);
    }
  }

  getStatus(): StoreStatus {
    const { keys } = this.#share.getStatus();
    return { kind: 'redis', degraded: this.#degraded, failures: this.#failures, keys };
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** A change that nobody waits for. Lost when Redis is gone: so is everything it would have changed. */
  async #send(key: string, operation: string, operands: readonly number[]): Promise<void> {
    if (this.#degraded) return;
    await this.#run(key, operation, operands).catch((error: unknown) => this.#failed(error));
  }

  #run(key: string, operation: string, operands: readonly number[]): Promise<unknown> {
    // The braces are Redis Cluster's hash tag: both keys of a script live on one node. It is never empty, and encoded,
    // so that nothing in a key ends it early.
    const tag = [this.#options.name, key].map((part) => encodeURIComponent(part.toWellFormed())).join(':');
    const { redis } = this.#options;
    const state = `${redis.namespace}:limit:{${tag}}`;
    const script = LIMIT_SCRIPTS[this.#limit.algorithm];
    return redis.run(script, [state, `${state}:log`], [...this.#arguments, operation, ...operands]);
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    if (this.#degraded) return;
    this.#degraded = true;
    this.#tryAgain();
    const { name, onStoreFailure, logger } = this.#options;
    const reason = nameFault(error);
    logger.warn({ limiter: name, mode: onStoreFailure, reason }, 'rate limit is not shared: redis failed');
  }

  #tryAgain(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#run('probe', 'used', []).then(
        () => {
          this.#degraded = false;
          // Another limiter may have its name by now, of which that would not be true.
          if (!this.#isStopped)
            this.#options.logger.info({ limiter: this.#options.name }, 'rate limit is shared again');
        },
        () => {
          this.#failures += 1;
          this.#tryAgain();
        },
      );
    }, RETRY_INTERVAL_MS).unref();
  }
}

function toMicroseconds(ms: number): number {
  return Math.floor(Math.min(Math.max(0, ms), LONGEST_PATIENCE_MS) * 1000);
}
