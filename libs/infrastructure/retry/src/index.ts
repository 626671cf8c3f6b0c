export { DeadlineScope } from './deadline-scope.ts';
export { DeadlinePolicy } from './deadline.policy.ts';
export { HedgePolicy, type HedgeStatus } from './hedge.policy.ts';
export { RetryBudget, type RetryBudgetStatus } from './retry-budget.ts';
export { hedgeConfig, retryBudgetConfig, retryConfig } from './retry.config.ts';
export { RetryBudgetMetrics } from './retry-budget-metrics.ts';
export { RetryMetrics } from './retry-metrics.ts';
export { type RepeatableContext, RetryPolicy, type RetryStatus } from './retry.policy.ts';
