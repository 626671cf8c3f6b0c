import type { Counter, Metrics } from '@morgan/telemetry';
import { type RetryBudgetCounter, RetryBudgetMetrics } from './retry-budget-metrics.ts';
import type { AttemptOutcome, GiveUpReason, HedgeOutcome } from './retry-outcome.ts';

/** Counts for one client. */
export interface RetryCounter {
  readonly budget: RetryBudgetCounter;
  attemptEnded(outcome: AttemptOutcome): void;
  gaveUp(reason: GiveUpReason): void;
  hedgeEnded(outcome: HedgeOutcome): void;
}

/** The metrics of all retry policies and hedges of one process, and those of their budgets. */
export class RetryMetrics {
  readonly #attempts: Counter<'client' | 'outcome'>;
  readonly #givenUp: Counter<'client' | 'reason'>;
  readonly #budget: RetryBudgetMetrics;
  readonly #hedges: Counter<'client' | 'outcome'>;

  constructor(metrics: Metrics) {
    this.#budget = new RetryBudgetMetrics(metrics);
    this.#attempts = metrics.counter({
      name: 'morgan_retry_attempts_total',
      help: 'Attempts that ended, first ones and retries, by client and outcome.',
      labels: ['client', 'outcome'],
    });
    this.#givenUp = metrics.counter({
      name: 'morgan_retry_given_up_total',
      help: 'Calls whose last attempt failed and was not repeated, by client and why not.',
      labels: ['client', 'reason'],
    });
    this.#hedges = metrics.counter({
      name: 'morgan_retry_hedges_total',
      help: 'Hedged calls that ended: the hedge won, lost to the first attempt, or both failed; by client.',
      labels: ['client', 'outcome'],
    });
  }

  /** @param client a configured name. */
  of(client: string): RetryCounter {
    return {
      budget: this.#budget.of(client),
      attemptEnded: (outcome) => this.#attempts.inc({ client, outcome }),
      gaveUp: (reason) => this.#givenUp.inc({ client, reason }),
      hedgeEnded: (outcome) => this.#hedges.inc({ client, outcome }),
    };
  }
}
