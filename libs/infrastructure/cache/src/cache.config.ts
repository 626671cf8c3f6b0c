import { setting } from '@morgan/foundation';
import { z } from 'zod';

/** The `cache` section of the configuration. */
export const cacheConfig = z
  .strictObject({
    maxEntries: setting(z.int().min(1).default(10_000), {
      env: 'CACHE_MAX_ENTRIES',
      doc: 'Vectors that the cache in memory holds at most; the least recently used goes first. 512 dimensions take about 2 kB.',
    }),
    ttlSeconds: setting(z.int().min(0).default(86_400), {
      env: 'CACHE_TTL_SECONDS',
      doc: 'How long a vector is kept, in seconds; 0 keeps it for good.',
    }),
  })
  .prefault({});

export type CacheConfig = z.output<typeof cacheConfig>;
