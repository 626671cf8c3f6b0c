import type { Count, Counter, Histogram, Metrics } from '@morgan/telemetry';
import type { StoreStatus } from './limit-store.ts';

/** What became of a call. */
export type LimitOutcome = 'admitted' | 'refused' | 'aborted';

/** What the metrics read of a limiter at scrape time. */
interface WatchedLimiter {
  readonly name: string;
  getStatus(): { readonly waiting: number; readonly store: StoreStatus };
}

/** The metrics of all limiters of one process. Limiter labels are configured names; keys are never shown. */
export class RateLimiterMetrics {
  readonly #limiters = new Set<WatchedLimiter>();
  readonly #decisions: Counter<'limiter' | 'outcome'>;
  readonly #wait: Histogram<'limiter'>;

  constructor(metrics: Metrics) {
    this.#decisions = metrics.counter({
      name: 'morgan_rate_limiter_decisions_total',
      help: 'Calls that were admitted or refused, or that were aborted while they waited, by limiter.',
      labels: ['limiter', 'outcome'],
    });
    this.#wait = metrics.histogram({
      name: 'morgan_rate_limiter_wait_seconds',
      help: 'Time that admitted callers stood in a waiting line, by limiter.',
      labels: ['limiter'],
    });
    const gauge = (name: string, help: string, read: (limiter: WatchedLimiter) => number) =>
      metrics.gauge({ name: `morgan_rate_limiter_${name}`, help, labels: ['limiter'] }, (own) => {
        for (const limiter of this.#limiters) own.set({ limiter: limiter.name }, read(limiter));
      });
    gauge('waiting', 'Callers that stand in a waiting line now, by limiter.', (it) => it.getStatus().waiting);
    gauge('keys', 'Keys held in memory now, by limiter.', (it) => it.getStatus().store.keys);
    gauge('degraded', '1 while Redis is not used because it is slow or gone, else 0, by limiter.', (it) =>
      Number(it.getStatus().store.degraded),
    );
  }

  /** Shows this limiter at every scrape. Returns what counts its decisions, made once so that counting is cheap. */
  watch(limiter: WatchedLimiter): Record<LimitOutcome, Count> {
    this.#limiters.add(limiter);
    const count = (outcome: LimitOutcome) => this.#decisions.labels({ limiter: limiter.name, outcome });
    return { admitted: count('admitted'), refused: count('refused'), aborted: count('aborted') };
  }

  /** Shows the state of this limiter no more; its decisions up to now stay counted. */
  forget(limiter: WatchedLimiter): void {
    this.#limiters.delete(limiter);
  }

  waited(limiter: string, ms: number): void {
    this.#wait.observe({ limiter }, ms / 1000);
  }
}
