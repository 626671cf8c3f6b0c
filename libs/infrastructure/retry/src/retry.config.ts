import { milliseconds, setting } from '@morgan/foundation';
import { z } from 'zod';

/** The settings of a `RetryBudget`. */
export const retryBudgetConfig = z
  .strictObject({
    ratio: setting(z.number().min(0).max(1).default(0.2), {
      doc: 'Extra attempts (retries, fallbacks, hedges) per request that the budget allows.',
    }),
    minPerSecond: setting(z.number().min(0).default(10), {
      doc: 'Extra attempts per second that the budget allows on top, so that a quiet client may retry; less than one in the window, such as 0, turns all extra attempts off.',
    }),
    windowMs: setting(milliseconds.default(10_000), {
      doc: 'The window of the budget, in milliseconds.',
    }),
  })
  .prefault({});

/** The settings of a `HedgePolicy`. */
export const hedgeConfig = z.strictObject({
  delayMs: setting(milliseconds.optional(), {
    doc: 'After which time a second attempt starts, in milliseconds; without it after the observed quantile.',
  }),
  quantile: setting(z.number().min(0.5).max(0.999).default(0.95), {
    doc: 'The quantile of the observed times after which a second attempt starts.',
  }),
});

/** The settings of a `RetryPolicy`. */
export const retryPolicyConfig = z.strictObject({
  maxRetries: setting(z.int().min(0).max(100).default(3), {
    doc: 'Attempts after the first one.',
  }),
  baseDelayMs: setting(milliseconds.default(1000), {
    doc: 'The most that the first back-off can take, in milliseconds.',
  }),
  maxDelayMs: setting(milliseconds.default(60_000), {
    doc: 'The most that any back-off can take, in milliseconds, and the longest Retry-After that a call without a deadline waits for.',
  }),
  base: setting(z.number().min(1).default(2), {
    doc: 'How many times longer each back-off may be than the one before.',
  }),
  jitter: setting(
    z
      .union([z.enum(['full', 'none']), z.boolean()])
      .transform((jitter) => (typeof jitter === 'string' ? jitter : jitter ? 'full' : 'none'))
      .default('full'),
    {
      doc: 'How chance enters the back-off: `full` from 0 to the exponential bound, `none` the bound itself; `true` and `false` stand for the first and the last.',
    },
  ),
});

/** The settings of a `RetryPolicy` and of its budget. */
export const retryConfig = retryPolicyConfig.extend({ budget: retryBudgetConfig }).prefault({});

/** The settings of a `DeadlinePolicy`. */
export const deadlineConfig = z.strictObject({
  timeoutMs: setting(z.number().gt(0).optional(), {
    doc: 'How long a call may take, in milliseconds; without it only the deadline that a call brings along counts.',
  }),
});
