export { CircuitBreaker } from './circuit-breaker.ts';
export { circuitBreakerConfig, RESETS_IN_ORDER } from './circuit-breaker.config.ts';
export { CircuitBreakerMetrics } from './circuit-breaker-metrics.ts';
export type { CircuitStatus } from './circuit-status.ts';
