import type { Counter, Metrics } from '@morgan/telemetry';

/** How a key was answered. `coalesced`: computed for another call, here or in another replica, at the same time. */
const CACHE_RESULTS = ['memory', 'redis', 'coalesced', 'miss', 'bypass'] as const;
/** One of them. */
export type CacheResult = (typeof CACHE_RESULTS)[number];

/** Counts how keys were answered, for the status and for the metrics. */
export class CacheCounts {
  readonly #requests: Counter<'result'>;
  readonly #totals: Record<CacheResult | 'error', number> = {
    memory: 0,
    redis: 0,
    coalesced: 0,
    miss: 0,
    bypass: 0,
    error: 0,
  };

  constructor(metrics: Metrics) {
    this.#requests = metrics.counter({
      name: 'morgan_cache_requests_total',
      help: 'Different inputs looked up: found in `memory` or `redis`, `coalesced` with the same input of another call, computed (`miss`), or computed because the caller wants no cache (`bypass`); `error` counts keys for which Redis could not be asked.',
      labels: ['result'],
    });
    // A series that begins with its first error would hide that error from every rate.
    for (const result of [...CACHE_RESULTS, 'error']) this.#requests.inc({ result }, 0);
  }

  count(result: CacheResult | 'error', keys = 1): void {
    this.#totals[result] += keys;
    this.#requests.inc({ result }, keys);
  }

  read() {
    const { memory, redis, coalesced, miss, bypass, error } = this.#totals;
    const hits = memory + redis + coalesced;
    const asked = hits + miss;
    return {
      hits,
      misses: miss,
      coalesced,
      bypassed: bypass,
      errors: error,
      hitRate: asked === 0 ? 0 : hits / asked,
    };
  }
}
