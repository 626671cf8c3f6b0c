import type { Counter, Metrics } from '@morgan/telemetry';
import { type CheckVerdict, HEALTH_STATES, type HealthState } from './health-state.ts';

/** The part of a target that a scrape reads. */
interface Watched {
  readonly name: string;
  readonly state: HealthState;
}

/** The metrics of all health monitors of one process. Target labels are configured names. */
export class HealthMetrics {
  readonly #targets = new Set<Watched>();
  readonly #checks: Counter<'target' | 'outcome'>;

  constructor(metrics: Metrics) {
    this.#checks = metrics.counter({
      name: 'morgan_health_checks_total',
      help: 'Health checks that ended, by target and outcome: `ok`, `degraded` or `failed`.',
      labels: ['target', 'outcome'],
    });
    metrics.gauge(
      {
        name: 'morgan_health_state',
        help: '1 for the state that a target is in, 0 for the others.',
        labels: ['target', 'state'],
      },
      (gauge) => {
        for (const { name: target, state: current } of this.#targets)
          for (const state of HEALTH_STATES) gauge.set({ target, state }, state === current ? 1 : 0);
      },
    );
  }

  /** Shows the state of these targets at every scrape. */
  watch(targets: Iterable<Watched>): void {
    for (const target of targets) this.#targets.add(target);
  }

  /** Shows the state of these targets no more; their checks up to now stay counted. */
  forget(targets: Iterable<Watched>): void {
    for (const target of targets) this.#targets.delete(target);
  }

  checked(target: string, outcome: CheckVerdict): void {
    this.#checks.inc({ target, outcome });
  }
}
