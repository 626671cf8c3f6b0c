import { setting } from '@morgan/foundation';
import { redisNamespace } from '@morgan/redis';
import { z } from 'zod';

/** How a vector may be stored, the most exact first. */
const VECTOR_FORMATS = ['full', 'fp16', 'int8'] as const;
export type VectorFormat = (typeof VECTOR_FORMATS)[number];

/** The `cache` section of the configuration. */
export const cacheConfig = z
  .strictObject({
    maxEntries: setting(z.int().min(1).default(10_000), {
      env: 'CACHE_MAX_ENTRIES',
      doc: 'Vectors that each process keeps in memory at most; the least recently used goes first.',
    }),
    maxBytes: setting(
      z
        .int()
        .min(1024)
        .default(64 * 1024 * 1024),
      {
        env: 'CACHE_MAX_BYTES',
        doc: 'Bytes of vectors that each process keeps in memory at most. 512 dimensions take about 2 kB.',
      },
    ),
    ttlSeconds: setting(z.int().min(0).default(86_400), {
      env: 'CACHE_TTL_SECONDS',
      doc: 'How long a vector is kept that nobody asks for, in seconds; 0 keeps it for good. Up to a tenth less, at random, so that what was stored together does not expire together.',
    }),
    namespace: setting(redisNamespace.optional(), {
      env: 'CACHE_NAMESPACE',
      doc: 'Prefix of the keys of vectors, where it is not that of all keys, `redis.namespace`: services that share their vectors take the same one.',
      needs: 'redis.url',
    }),
    vectorFormat: setting(z.enum(VECTOR_FORMATS).default('full'), {
      env: 'CACHE_VECTOR_FORMAT',
      doc: 'How vectors are stored in Redis: `full`; `fp16`, half the bytes, each value off by 0.05 % of itself at most (or 3e-8); or `int8`, a quarter, each value off by 0.4 % of the largest one at most. Entries that are less exact than this says are misses.',
      needs: 'redis.url',
    }),
    redisTimeoutMs: setting(z.int().min(1).max(10_000).default(20), {
      env: 'CACHE_REDIS_TIMEOUT_MS',
      doc: 'How long the cache waits for an answer of Redis, in milliseconds. When half of the answers of the last 10 s are later or missing, Redis is not asked for a second.',
      needs: 'redis.url',
    }),
    leaseMs: setting(z.int().min(0).max(60_000).default(5_000), {
      env: 'CACHE_LEASE_MS',
      doc: 'How long the others wait for a vector that a replica computes after its last sign of life, in milliseconds; then one of them computes it. A replica at work gives three signs in that time. 0: nobody waits.',
      needs: 'redis.url',
    }),
  })
  .prefault({});

/** With every default filled in. */
export type CacheConfig = z.output<typeof cacheConfig>;
