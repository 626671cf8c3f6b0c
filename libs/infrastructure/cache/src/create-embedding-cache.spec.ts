import { expect, it } from '@jest/globals';
import { silentLogger } from '@morgan/foundation';
import { RedisConnection } from '@morgan/redis';
import { Metrics } from '@morgan/telemetry';
import { cacheConfig } from './cache.config.ts';
import { createEmbeddingCache } from './create-embedding-cache.ts';

it('keeps vectors in memory unless there is a Redis', () => {
  const config = cacheConfig.parse(undefined);
  expect(config).toEqual({ maxEntries: 10_000, ttlSeconds: 86_400 });
  expect(createEmbeddingCache(config, undefined, new Metrics()).getStatus().kind).toBe('memory');
  const redis = new RedisConnection({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 100 }, silentLogger);
  expect(createEmbeddingCache(config, redis, new Metrics()).getStatus().kind).toBe('redis');
});
