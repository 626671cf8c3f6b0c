export { HttpMetrics } from './http-metrics.ts';
export { DURATION_BUCKETS_SECONDS, Metrics, type MetricOptions } from './metrics.ts';
export type { Counter, Gauge, Histogram } from './metrics.ts';
export { createLogger } from './pino-logger.ts';
export { RequestLog } from './request-log.ts';
export { logConfig, type LogConfig } from './telemetry.config.ts';
export { TelemetryModule } from './telemetry.module.ts';
