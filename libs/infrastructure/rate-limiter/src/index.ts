export type { Decision, LimitRefusal } from './decision.ts';
export type { Permit } from './permit.ts';
export { RateLimitPolicy, type RateLimitPolicyOptions } from './rate-limit.policy.ts';
export { RateLimiterMetrics } from './rate-limiter-metrics.ts';
export { rateLimiterConfig, type RateLimiterConfig } from './rate-limiter.config.ts';
export { RateLimiterModule } from './rate-limiter.module.ts';
export {
  type AcquireOptions,
  type KeyStatus,
  RateLimiter,
  type RateLimiterParts,
  type RateLimiterStatus,
} from './rate-limiter.ts';
