import { setting } from '@morgan/foundation';
import { z } from 'zod';

/** The `warming` section of the configuration. */
export const warmingConfig = z
  .strictObject({
    concurrency: setting(z.int().min(1).max(64).default(1), {
      env: 'CACHE_WARM_CONCURRENCY',
      doc: 'Jobs of 16 texts that warm the cache at a time; each begins only while no live call waits for the model.',
    }),
    inputsPerSecond: setting(z.int().min(0).max(1_000_000).default(0), {
      env: 'CACHE_WARM_INPUTS_PER_SECOND',
      doc: 'Texts that warming takes a second at most; 0: as many as live traffic leaves room for.',
    }),
    maxCalls: setting(z.int().min(1).max(1_000).default(4), {
      env: 'CACHE_WARM_MAX_CALLS',
      doc: 'Calls of `POST /admin/cache/warm` at a time; further ones get 503 `overloaded`.',
    }),
  })
  .prefault({});

export type WarmingConfig = z.output<typeof warmingConfig>;
