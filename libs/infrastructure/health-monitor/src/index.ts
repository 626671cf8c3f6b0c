export { HealthModule } from './health.module.ts';
export { HealthMetrics } from './health-metrics.ts';
export { HealthMonitor, type IndicatorPresentation } from './health-monitor.ts';
export { healthMonitorConfig, type HealthMonitorConfig } from './health-monitor.config.ts';
export type { HealthState, CheckOutcome } from './health-state.ts';
export type { TargetStatus } from './health-target.ts';
export type { HealthCheck } from './check-run.ts';
