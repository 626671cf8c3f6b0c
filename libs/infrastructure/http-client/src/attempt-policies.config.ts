import { circuitBreakerConfig } from '@morgan/circuit-breaker';
import { adaptiveLimitConfig, adaptiveTimeoutConfig, bulkheadConfig } from '@morgan/concurrency';
import { setting } from '@morgan/foundation';
import { BURST_OF_A_BUCKET, rateLimiterConfig } from '@morgan/rate-limiter';
import { z } from 'zod';

const limit = z.strictObject(rateLimiterConfig.shape).omit({ limit: true, windowMs: true });

/** The settings of the policies around every attempt at one target. What is left out is off; the breaker never is. */
export const attemptPoliciesConfig = z.strictObject({
  circuitBreaker: circuitBreakerConfig,
  rateLimit: limit
    .extend({
      requestsPerSecond: setting(z.number().gt(0), {
        doc: 'Requests per second that are sent, every attempt counted; 0.1 is one in ten seconds.',
      }),
    })
    .refine(...BURST_OF_A_BUCKET)
    .optional(),
  tokenLimit: limit
    .extend({
      tokensPerMinute: setting(z.number().min(1), {
        doc: 'Tokens per minute that attempts may cost together; an estimate is taken first and corrected after.',
      }),
    })
    .refine(...BURST_OF_A_BUCKET)
    .optional(),
  concurrency: z
    .strictObject({
      ...bulkheadConfig.unwrap().shape,
      adaptive: adaptiveLimitConfig.unwrap().optional(),
    })
    .optional(),
  adaptiveTimeout: adaptiveTimeoutConfig.unwrap().optional(),
});

/** With every default filled in. */
export type AttemptPoliciesConfig = z.output<typeof attemptPoliciesConfig>;
