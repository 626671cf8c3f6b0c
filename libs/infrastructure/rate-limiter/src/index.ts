export type { Decision } from './decision.ts';
export type { Permit } from './permit.ts';
export { RateLimiterMetrics } from './rate-limiter-metrics.ts';
export { BURST_OF_A_BUCKET, rateLimiterConfig, type RateLimiterSettings } from './rate-limiter.config.ts';
export {
  type AcquireOptions,
  type KeyStatus,
  RateLimiter,
  type RateLimiterOptions,
  type RateLimiterParts,
  type RateLimiterStatus,
} from './rate-limiter.ts';
