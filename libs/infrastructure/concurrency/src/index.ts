export {
  AdaptiveBulkhead,
  type AdaptiveBulkheadOptions,
  type AdaptiveBulkheadStatus,
} from './adaptive-bulkhead.ts';
export { AdaptiveLimit, type AdaptiveLimitStatus } from './adaptive-limit.ts';
export {
  AdaptiveTimeout,
  type AdaptiveTimeoutOptions,
  type AdaptiveTimeoutStatus,
} from './adaptive-timeout.ts';
export { Bulkhead, type BulkheadOptions, type BulkheadStatus } from './bulkhead.ts';
export { type BulkheadRefusal, ConcurrencyMetrics } from './concurrency-metrics.ts';
export {
  adaptiveLimitConfig,
  type AdaptiveLimitSettings,
  adaptiveTimeoutConfig,
  type AdaptiveTimeoutSettings,
  bulkheadConfig,
  type BulkheadSettings,
} from './concurrency.config.ts';
