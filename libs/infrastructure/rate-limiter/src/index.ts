export type { Decision } from './decision.ts';
export type { Permit } from './permit.ts';
export { RateLimiterMetrics } from './rate-limiter-metrics.ts';
export { BURST_OF_A_BUCKET, rateLimiterConfig } from './rate-limiter.config.ts';
export { RateLimiter, type RateLimiterParts, type RateLimiterStatus } from './rate-limiter.ts';
