import { backoffMs } from '@morgan/foundation';
import type { CircuitBreakerConfig } from './circuit-breaker.config.ts';

/** How long a breaker stays open: twice as long with each trip that follows too soon, up to a cap, less some jitter. */
export class ResetDelay {
  #trips = 0;
  #lastMs = 0;

  constructor(
    private readonly config: Pick<
      CircuitBreakerConfig,
      'resetTimeoutMs' | 'maxResetTimeoutMs' | 'resetJitter'
    >,
  ) {}

  /** Trips in a row, each sooner after closing than its wait before was long. */
  get trips(): number {
    return this.#trips;
  }

  /** @param closedMs how long the breaker was closed before this trip; as long as the wait before makes it the first again. */
  next(closedMs: number): number {
    const { resetTimeoutMs: firstMs, maxResetTimeoutMs: longestMs, resetJitter: jitter } = this.config;
    this.#trips = closedMs >= this.#lastMs ? 1 : this.#trips + 1;
    this.#lastMs = backoffMs(this.#trips - 1, { firstMs, longestMs, jitter });
    return this.#lastMs;
  }

  forget(): void {
    this.#trips = 0;
  }
}
