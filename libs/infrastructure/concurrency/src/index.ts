export { AdaptiveBulkhead, type AdaptiveBulkheadStatus } from './adaptive-bulkhead.ts';
export { AdaptiveLimit } from './adaptive-limit.ts';
export { AdaptiveTimeout, type AdaptiveTimeoutStatus } from './adaptive-timeout.ts';
export { Bulkhead, type BulkheadStatus } from './bulkhead.ts';
export { ConcurrencyMetrics } from './concurrency-metrics.ts';
export { adaptiveLimitConfig, adaptiveTimeoutConfig, bulkheadConfig } from './concurrency.config.ts';
