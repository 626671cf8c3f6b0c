import type { RedisConnection } from '@morgan/redis';
import type { Metrics } from '@morgan/telemetry';
import type { CacheConfig } from './cache.config.ts';
import { CacheFigures } from './cache-figures.ts';
import { decodeEmbedding, encodeEmbedding } from './embedding-codec.ts';
import { type CachedEmbedding, type CacheStatus, EmbeddingCache } from './embedding-cache.ts';

/** Keeps vectors in Redis, for all replicas. While Redis is gone every look-up is a miss. */
export class RedisEmbeddingCache extends EmbeddingCache {
  readonly #redis: RedisConnection;
  readonly #ttlSeconds: number;
  readonly #figures: CacheFigures;

  constructor({ ttlSeconds }: CacheConfig, redis: RedisConnection, metrics: Metrics) {
    super();
    this.#redis = redis;
    this.#ttlSeconds = ttlSeconds;
    this.#figures = new CacheFigures(metrics);
  }

  async getMany(keys: readonly string[]): Promise<(CachedEmbedding | undefined)[]> {
    if (keys.length === 0) return [];
    try {
      const values = await this.#redis.getBuffers(keys);
      const found = values.map((bytes) => (bytes === null ? undefined : decodeEmbedding(bytes)));
      const hits = found.filter((entry) => entry !== undefined).length;
      this.#figures.found(hits, keys.length - hits);
      return found;
    } catch {
      // The connection logs that it is gone; here only the figures need to know.
      this.#figures.failed(keys.length);
      return keys.map(() => undefined);
    }
  }

  setMany(entries: readonly (readonly [string, CachedEmbedding])[]): void {
    if (entries.length === 0) return;
    const encoded = entries.map(([key, embedding]) => [key, encodeEmbedding(embedding)] as const);
    this.#redis.setBuffers(encoded, this.#ttlSeconds).catch(() => this.#figures.failed(entries.length));
  }

  getStatus(): CacheStatus {
    return { kind: 'redis', ...this.#figures.read() };
  }
}
