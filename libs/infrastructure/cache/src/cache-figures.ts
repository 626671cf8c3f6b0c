import type { Counter, Metrics } from '@morgan/telemetry';

/** Counts look-ups for the status and for the metrics. */
export class CacheFigures {
  readonly #requests: Counter<'result'>;
  #hits = 0;
  #misses = 0;
  #errors = 0;

  constructor(metrics: Metrics) {
    this.#requests = metrics.counter({
      name: 'morgan_cache_requests_total',
      help: 'Keys looked up: hit, miss, or error where the cache could not be asked. Failed writes count as errors too.',
      labels: ['result'],
    });
    // A series that begins with its first error would hide that error from every rate.
    for (const result of ['hit', 'miss', 'error']) this.#requests.inc({ result }, 0);
  }

  found(hits: number, misses: number): void {
    this.#hits += hits;
    this.#misses += misses;
    this.#requests.inc({ result: 'hit' }, hits);
    this.#requests.inc({ result: 'miss' }, misses);
  }

  failed(keys: number): void {
    this.#errors += keys;
    this.#requests.inc({ result: 'error' }, keys);
  }

  read() {
    const asked = this.#hits + this.#misses;
    return {
      hits: this.#hits,
      misses: this.#misses,
      errors: this.#errors,
      hitRate: asked === 0 ? 0 : this.#hits / asked,
    };
  }
}
