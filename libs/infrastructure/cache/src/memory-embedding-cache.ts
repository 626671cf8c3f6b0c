import type { Metrics } from '@morgan/telemetry';
import { LRUCache } from 'lru-cache';
import type { CacheConfig } from './cache.config.ts';
import { CacheFigures } from './cache-figures.ts';
import { type CachedEmbedding, type CacheStatus, EmbeddingCache } from './embedding-cache.ts';

/** Keeps vectors in this process; the least recently used goes first. */
export class MemoryEmbeddingCache extends EmbeddingCache {
  readonly #entries: LRUCache<string, CachedEmbedding>;
  readonly #figures: CacheFigures;
  #evictions = 0;

  constructor({ maxEntries, ttlSeconds }: CacheConfig, metrics: Metrics) {
    super();
    // The clock is looked up when it is read, so that a test can hold it.
    const perf = { now: () => performance.now() };
    const evictions = metrics.counter({
      name: 'morgan_cache_evictions_total',
      help: 'Vectors that left the cache in memory because there was no room.',
    });
    this.#entries = new LRUCache({
      max: maxEntries,
      ttl: ttlSeconds * 1000,
      perf,
      dispose: (_embedding, _key, reason) => {
        if (reason !== 'evict') return;
        this.#evictions += 1;
        evictions.inc();
      },
    });
    this.#figures = new CacheFigures(metrics);
    metrics.gauge({ name: 'morgan_cache_entries', help: 'Vectors in the cache in memory.' }, (gauge) =>
      gauge.set(this.#entries.size),
    );
  }

  getMany(keys: readonly string[]): Promise<(CachedEmbedding | undefined)[]> {
    const found = keys.map((key) => this.#entries.get(key));
    const hits = found.filter((entry) => entry !== undefined).length;
    this.#figures.found(hits, keys.length - hits);
    return Promise.resolve(found);
  }

  setMany(entries: readonly (readonly [string, CachedEmbedding])[]): void {
    for (const [key, embedding] of entries) this.#entries.set(key, embedding);
  }

  getStatus(): CacheStatus {
    return {
      kind: 'memory',
      ...this.#figures.read(),
      entries: this.#entries.size,
      evictions: this.#evictions,
    };
  }
}
