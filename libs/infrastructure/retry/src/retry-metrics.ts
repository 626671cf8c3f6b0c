import type { Counter, Metrics } from '@morgan/telemetry';
import { RetryBudgetMetrics } from './retry-budget-metrics.ts';
import type { AttemptOutcome, GiveUpReason, HedgeOutcome } from './retry-outcome.ts';

/** The metrics of all retry policies and hedges of one process, and those of their budgets. */
export class RetryMetrics {
  readonly #attempts: Counter<'outcome'>;
  readonly #givenUp: Counter<'reason'>;
  readonly budget: RetryBudgetMetrics;
  readonly #hedges: Counter<'outcome'>;

  /** @param budget those of the process, if it has made them already. */
  constructor(metrics: Metrics, budget = new RetryBudgetMetrics(metrics)) {
    this.budget = budget;
    this.#attempts = metrics.counter({
      name: 'morgan_retry_attempts_total',
      help: 'Attempts that ended, first ones and retries, by outcome.',
      labels: ['outcome'],
    });
    this.#givenUp = metrics.counter({
      name: 'morgan_retry_given_up_total',
      help: 'Calls whose last attempt failed and was not repeated, by why not.',
      labels: ['reason'],
    });
    this.#hedges = metrics.counter({
      name: 'morgan_retry_hedges_total',
      help: 'Hedged calls that ended: the hedge won, lost to the first attempt, or both failed.',
      labels: ['outcome'],
    });
  }

  attemptEnded(outcome: AttemptOutcome): void {
    this.#attempts.inc({ outcome });
  }

  gaveUp(reason: GiveUpReason): void {
    this.#givenUp.inc({ reason });
  }

  hedgeEnded(outcome: HedgeOutcome): void {
    this.#hedges.inc({ outcome });
  }
}
