import type { Metrics } from '@morgan/telemetry';
import { LRUCache } from 'lru-cache';
import type { CacheConfig } from './cache.config.ts';
import type { CachedEmbedding } from './cached-embedding.ts';
import { jittered } from './ttl-jitter.ts';

/** What an entry takes besides its vector: key, objects, list nodes. Measured, rounded up. */
const ENTRY_BYTES = 400;

/** The vectors that this process keeps: bounded in entries and bytes, the least recently used goes first. */
export class MemoryLevel {
  readonly #entries: LRUCache<string, CachedEmbedding>;
  readonly #ttlMs: number;
  #evictions = 0;

  constructor({ maxEntries, maxBytes, ttlSeconds }: CacheConfig, metrics: Metrics) {
    const evictions = metrics.counter({
      name: 'morgan_cache_evictions_total',
      help: 'Vectors that left the memory of this process because there was no room.',
    });
    this.#ttlMs = ttlSeconds * 1000;
    this.#entries = new LRUCache({
      // Its lists are made for as many at once: a number that the bytes have no room for would only take memory.
      max: Math.min(maxEntries, Math.ceil(maxBytes / ENTRY_BYTES)),
      maxSize: maxBytes,
      sizeCalculation: ({ vector }) => vector.byteLength + ENTRY_BYTES,
      // What is asked for stays: a vector never goes out of date, its key names all that it depends on.
      updateAgeOnGet: true,
      // The clock is looked up when it is read, so that a test can hold it.
      perf: { now: () => performance.now() },
      dispose: (_embedding, _key, reason) => {
        if (reason !== 'evict') return;
        this.#evictions += 1;
        evictions.inc();
      },
    });
    metrics.gauge(
      { name: 'morgan_cache_entries', help: 'Vectors that this process keeps in memory.' },
      (gauge) => gauge.set(this.size),
    );
    metrics.gauge({ name: 'morgan_cache_bytes', help: 'Bytes that these vectors take, about.' }, (gauge) =>
      gauge.set(this.bytes),
    );
  }

  /** Entries held, expired ones included that nobody has asked for since. */
  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** Entries that had to go because there was no room. */
  get evictions(): number {
    return this.#evictions;
  }

  get(key: string): CachedEmbedding | undefined {
    return this.#entries.get(key);
  }

  set(key: string, embedding: CachedEmbedding): void {
    this.#entries.set(key, embedding, { ttl: jittered(this.#ttlMs) });
  }

  clear(): void {
    this.#entries.clear();
  }
}
