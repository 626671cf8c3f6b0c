import type { Counter, Metrics } from '@morgan/telemetry';
import type { AttemptOutcome, ExtraAttempt, GiveUpReason, HedgeOutcome } from './retry-outcome.ts';

/** The metrics of all retry policies, budgets and hedges of one process. */
export class RetryMetrics {
  readonly #attempts: Counter<'outcome'>;
  readonly #givenUp: Counter<'reason'>;
  readonly #extra: Counter<'kind' | 'outcome'>;
  readonly #hedges: Counter<'outcome'>;

  constructor(metrics: Metrics) {
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
    this.#extra = metrics.counter({
      name: 'morgan_retry_budget_total',
      help: 'Extra attempts that the budget granted or refused, by kind.',
      labels: ['kind', 'outcome'],
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

  extraAttempt(kind: ExtraAttempt, granted: boolean): void {
    this.#extra.inc({ kind, outcome: granted ? 'granted' : 'refused' });
  }

  hedgeEnded(outcome: HedgeOutcome): void {
    this.#hedges.inc({ outcome });
  }
}
