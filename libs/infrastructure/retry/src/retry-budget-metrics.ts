import type { Counter, Metrics } from '@morgan/telemetry';
import type { ExtraAttempt } from './retry-outcome.ts';

/** Counts for one client. */
export interface RetryBudgetCounter {
  extraAttempt(kind: ExtraAttempt, granted: boolean): void;
}

/** The metrics of all retry budgets of one process. */
export class RetryBudgetMetrics {
  readonly #extra: Counter<'client' | 'kind' | 'outcome'>;

  constructor(metrics: Metrics) {
    this.#extra = metrics.counter({
      name: 'morgan_retry_budget_total',
      help: 'Extra attempts that the budget of a client granted or refused, by kind.',
      labels: ['client', 'kind', 'outcome'],
    });
  }

  /** @param client a configured name. */
  of(client: string): RetryBudgetCounter {
    return {
      extraAttempt: (kind, granted) =>
        this.#extra.inc({ client, kind, outcome: granted ? 'granted' : 'refused' }),
    };
  }
}
