import type { Counter, Metrics } from '@morgan/telemetry';
import { CIRCUIT_STATES } from './circuit-state.ts';
import {
  CIRCUIT_OUTCOMES,
  type CircuitOutcome,
  type CircuitStatus,
  type StateChange,
} from './circuit-status.ts';

/** What the metrics read of a breaker. */
interface Watched {
  readonly name: string;
  getStatus(): CircuitStatus;
}

type Totals = CircuitStatus['totals'];

const NOTHING: Totals = { success: 0, failure: 0, slow: 0, rejected: 0, ignored: 0 };

/**
 * The metrics of all breakers of one process, read from them at every scrape: a call costs nothing here. Breaker labels
 * are configured names, never what a client sent.
 */
export class CircuitBreakerMetrics {
  /** What the counters have already seen of each breaker. */
  readonly #seen = new Map<Watched, Totals>();
  readonly #calls: Counter<'breaker' | 'outcome'>;
  readonly #changes: Counter<'breaker' | 'to' | 'reason'>;

  constructor(metrics: Metrics) {
    // Made before the counter of calls: metrics are read in this order, and reading this one brings that one up to date.
    metrics.gauge(
      {
        name: 'morgan_circuit_breaker_state',
        help: '1 for the state that the breaker is in, 0 for the others.',
        labels: ['breaker', 'state'],
      },
      (gauge) => {
        for (const breaker of this.#seen.keys()) {
          const status = this.#catchUp(breaker);
          for (const state of CIRCUIT_STATES) {
            gauge.set({ breaker: breaker.name, state }, state === status.state ? 1 : 0);
          }
        }
      },
    );
    this.#calls = metrics.counter({
      name: 'morgan_circuit_breaker_calls_total',
      help: 'Calls by what they said about the host; `rejected` were refused, `ignored` said nothing.',
      labels: ['breaker', 'outcome'],
    });
    this.#changes = metrics.counter({
      name: 'morgan_circuit_breaker_changes_total',
      help: 'Changes of state, by new state and reason.',
      labels: ['breaker', 'to', 'reason'],
    });
  }

  watch(breaker: Watched): void {
    this.#seen.set(breaker, NOTHING);
  }

  /** Shows the state of this breaker no more; its calls up to now stay counted. */
  forget(breaker: Watched): void {
    if (!this.#seen.has(breaker)) return;
    this.#catchUp(breaker);
    this.#seen.delete(breaker);
  }

  changed({ breaker, to, reason }: StateChange): void {
    this.#changes.inc({ breaker, to, reason });
  }

  #catchUp(breaker: Watched): CircuitStatus {
    const status = breaker.getStatus();
    const seen = this.#seen.get(breaker) ?? NOTHING;
    const count = (outcome: CircuitOutcome) =>
      this.#calls.inc({ breaker: breaker.name, outcome }, status.totals[outcome] - seen[outcome]);
    CIRCUIT_OUTCOMES.forEach(count);
    this.#seen.set(breaker, status.totals);
    return status;
  }
}
