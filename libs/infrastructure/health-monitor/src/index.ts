export { HealthModule } from './health.module.ts';
export { HealthMetrics } from './health-metrics.ts';
export {
  HealthMonitor,
  type HealthMonitorOptions,
  type HealthStatus,
  type IndicatorPresentation,
} from './health-monitor.ts';
export { healthMonitorConfig, type HealthMonitorConfig } from './health-monitor.config.ts';
export type {
  HealthChangeReason,
  CheckRecord,
  CheckVerdict,
  HealthChange,
  HealthState,
  LiveOutcome,
  CheckOutcome,
} from './health-state.ts';
export type { TargetStatus } from './health-target.ts';
export type { ResponseTimes } from './check-history.ts';
export type { HealthCheck } from './check-run.ts';
