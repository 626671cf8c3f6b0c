export { HttpMetrics } from './http-metrics.ts';
export { Metrics } from './metrics.ts';
export type { Count, Counter } from './counter.ts';
export type { Histogram } from './histogram.ts';
export type { Gauge } from './metrics.ts';
export { createLogger, type ServiceLogger } from './pino-logger.ts';
export { RequestLog } from './request-log.ts';
export { logConfig } from './telemetry.config.ts';
export { TelemetryModule } from './telemetry.module.ts';
