import { milliseconds, setting } from '@morgan/foundation';
import { z } from 'zod';

/** The settings of a `Bulkhead`. */
export const bulkheadConfig = z
  .strictObject({
    maxConcurrent: setting(z.int().min(1).default(100), {
      doc: 'Calls that may run at a time; an adaptive bulkhead finds this number by itself.',
    }),
    maxQueue: setting(z.int().min(0).default(100), {
      doc: 'Calls that may wait for a slot at a time; 0 refuses whatever finds no free slot.',
    }),
  })
  .prefault({});

/** The settings of an `AdaptiveLimit`. */
export const adaptiveLimitConfig = z
  .strictObject({
    initialLimit: setting(z.int().min(1).default(20), {
      doc: 'Calls that may run at a time before anything has been measured.',
    }),
    minLimit: setting(z.int().min(1).default(1), { doc: 'The limit never falls below this.' }),
    maxLimit: setting(z.int().min(1).default(1_000), { doc: 'The limit never rises above this.' }),
  })
  .refine(({ minLimit, initialLimit, maxLimit }) => minLimit <= initialLimit && initialLimit <= maxLimit, {
    error: 'minLimit, initialLimit and maxLimit must be in ascending order',
  })
  .prefault({});

/** The settings of an `AdaptiveTimeout`. */
export const adaptiveTimeoutConfig = z
  .strictObject({
    quantile: setting(z.number().gt(0).lt(1).default(0.99), {
      doc: 'The quantile of the latencies of the host that the bound is made from.',
    }),
    factor: setting(z.number().min(1).default(2), {
      doc: 'The bound is this many times the quantile.',
    }),
    floorMs: setting(z.int().min(1).default(1_000), {
      doc: 'The bound is never shorter than this, in milliseconds.',
    }),
    ceilingMs: setting(milliseconds.default(300_000), {
      doc: 'The bound is never longer than this, in milliseconds; it applies until enough is measured.',
    }),
    minSamples: setting(z.int().min(1).default(50), {
      doc: 'Latencies that must have been measured before the bound follows them.',
    }),
  })
  .refine(({ floorMs, ceilingMs }) => floorMs <= ceilingMs, {
    error: 'floorMs must not be above ceilingMs',
  })
  .prefault({});

/** With every default filled in. */
export type BulkheadConfig = z.output<typeof bulkheadConfig>;
export type AdaptiveLimitConfig = z.output<typeof adaptiveLimitConfig>;
export type AdaptiveTimeoutConfig = z.output<typeof adaptiveTimeoutConfig>;

/** As they are written: every key may be left out. */
export type BulkheadSettings = NonNullable<z.input<typeof bulkheadConfig>>;
export type AdaptiveLimitSettings = NonNullable<z.input<typeof adaptiveLimitConfig>>;
export type AdaptiveTimeoutSettings = NonNullable<z.input<typeof adaptiveTimeoutConfig>>;
