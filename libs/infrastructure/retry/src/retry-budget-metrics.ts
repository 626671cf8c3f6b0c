import type { Counter, Metrics } from '@morgan/telemetry';
import type { ExtraAttempt } from './retry-outcome.ts';

/** The metrics of all retry budgets of one process. */
export class RetryBudgetMetrics {
  readonly #extra: Counter<'kind' | 'outcome'>;

  constructor(metrics: Metrics) {
    this.#extra = metrics.counter({
      name: 'morgan_retry_budget_total',
      help: 'Extra attempts that the budget granted or refused, by kind.',
      labels: ['kind', 'outcome'],
    });
  }

  extraAttempt(kind: ExtraAttempt, granted: boolean): void {
    this.#extra.inc({ kind, outcome: granted ? 'granted' : 'refused' });
  }
}
