import type { RedisConnection } from '@morgan/redis';
import type { Metrics } from '@morgan/telemetry';
import type { CacheConfig } from './cache.config.ts';
import type { EmbeddingCache } from './embedding-cache.ts';
import { MemoryEmbeddingCache } from './memory-embedding-cache.ts';
import { RedisEmbeddingCache } from './redis-embedding-cache.ts';

/** The cache in Redis where there is one, else in memory. */
export function createEmbeddingCache(
  config: CacheConfig,
  redis: RedisConnection | undefined,
  metrics: Metrics,
): EmbeddingCache {
  return redis ? new RedisEmbeddingCache(config, redis, metrics) : new MemoryEmbeddingCache(config, metrics);
}
