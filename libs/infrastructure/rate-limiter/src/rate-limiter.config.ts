import { setting } from '@morgan/foundation';
import { z } from 'zod';

/** The settings of one rate limiter. Units are what costs are counted in: requests, tokens. */
const limiterSettings = z.strictObject({
  algorithm: setting(z.enum(['token-bucket', 'sliding-window']).default('token-bucket'), {
    doc: '`token-bucket` allows bursts and is the cheapest; `sliding-window` never exceeds the limit in any window.',
  }),
  limit: setting(z.number().min(1), { doc: 'Units per window.' }),
  windowMs: setting(z.int().min(1).default(1_000), { doc: 'The window, in milliseconds.' }),
  burst: setting(z.number().min(1).optional(), {
    doc: 'Units that a full token bucket holds. Default: the limit. Below 20 ms of the rate, timers cannot keep up.',
  }),
  maxWaitMs: setting(z.number().min(0).default(5_000), {
    doc: 'How long a caller may have to wait for its turn before it is refused instead, in milliseconds.',
  }),
  replicas: setting(z.int().min(1).default(1), {
    doc: 'Processes that share the limit; each enforces its part alone while Redis is gone.',
  }),
  onStoreFailure: setting(z.enum(['local-share', 'open', 'closed']).default('local-share'), {
    doc: 'While Redis is slow or gone: enforce a part of the limit in each process, admit all, or refuse all.',
  }),
});

/** For `refine`: nothing but a bucket has a burst. */
export const BURST_OF_A_BUCKET = [
  ({ algorithm, burst }: { algorithm: string; burst?: number | undefined }) =>
    algorithm === 'token-bucket' || burst === undefined,
  { path: ['burst'] as PropertyKey[], message: 'is of a token-bucket, and the algorithm is another' },
] as const;

/** The configuration of one rate limiter. */
export const rateLimiterConfig = limiterSettings.refine(...BURST_OF_A_BUCKET);

/** As it is written: what has a default may be left out. */
export type RateLimiterSettings = z.input<typeof rateLimiterConfig>;
