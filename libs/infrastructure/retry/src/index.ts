export { type BoundCall, DeadlineScope } from './deadline-scope.ts';
export { DeadlinePolicy, type DeadlineOptions } from './deadline.policy.ts';
export { HedgePolicy, type HedgeOptions, type HedgeStatus } from './hedge.policy.ts';
export { RetryBudget, type RetryBudgetOptions, type RetryBudgetStatus } from './retry-budget.ts';
export { retryConfig, type RetryConfig } from './retry.config.ts';
export { type RetryBudgetCounter, RetryBudgetMetrics } from './retry-budget-metrics.ts';
export { type RetryCounter, RetryMetrics } from './retry-metrics.ts';
export type { AttemptOutcome, ExtraAttempt, GiveUpReason, HedgeOutcome } from './retry-outcome.ts';
export {
  type AttemptContext,
  type RepeatableContext,
  RetryPolicy,
  type RetryOptions,
  type RetryStatus,
} from './retry.policy.ts';
