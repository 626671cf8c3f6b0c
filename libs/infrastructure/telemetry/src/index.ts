export { DURATION_BUCKETS_SECONDS, Metrics, type MetricOptions } from './metrics.ts';
export type { Counter, Gauge, Histogram } from './metrics.ts';
export { createLogger } from './pino-logger.ts';
export { logConfig, type LogConfig } from './telemetry.config.ts';
