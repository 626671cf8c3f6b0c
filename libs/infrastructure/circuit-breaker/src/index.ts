export { CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.ts';
export {
  circuitBreakerConfig,
  type CircuitBreakerSettings,
  RESETS_IN_ORDER,
} from './circuit-breaker.config.ts';
export { CircuitBreakerMetrics } from './circuit-breaker-metrics.ts';
export type { CircuitChangeReason, CircuitStateName } from './circuit-state.ts';
export type { CircuitOutcome, CircuitStatus, StateChange } from './circuit-status.ts';
