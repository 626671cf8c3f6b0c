export { DeadlineScope } from './deadline-scope.ts';
export { DeadlinePolicy, type DeadlineOptions } from './deadline.policy.ts';
export { HedgePolicy, type HedgeOptions, type HedgeStatus } from './hedge.policy.ts';
export { RetryBudget, type RetryBudgetOptions, type RetryBudgetStatus } from './retry-budget.ts';
export { hedgeConfig, retryBudgetConfig, retryConfig } from './retry.config.ts';
export { RetryBudgetMetrics } from './retry-budget-metrics.ts';
export { RetryMetrics } from './retry-metrics.ts';
export type { AttemptOutcome, GiveUpReason, HedgeOutcome } from './retry-outcome.ts';
export {
  type AttemptContext,
  type RepeatableContext,
  RetryPolicy,
  type RetryOptions,
  type RetryStatus,
} from './retry.policy.ts';
