import type { Counter, Metrics } from '@morgan/telemetry';
import type { ReloadReport } from './reload-report.ts';

/** The metrics of loading the configuration again. */
export class ReloadMetrics {
  readonly #reloads: Counter<'outcome'>;
  #isOutOfDate = false;

  constructor(metrics: Metrics) {
    this.#reloads = metrics.counter({
      name: 'morgan_config_reloads_total',
      help: 'Times that the configuration was loaded again, by outcome: `applied`, `unchanged` or `failed`.',
      labels: ['outcome'],
    });
    // A series that begins with its first failure would hide that from every rate.
    for (const outcome of ['applied', 'unchanged', 'failed'] as const) this.#reloads.inc({ outcome }, 0);
    metrics.gauge(
      {
        name: 'morgan_config_out_of_date',
        help: '1 while the configuration that runs is not the one that was loaded last: that has faults, or needs a restart.',
      },
      (gauge) => gauge.set({}, Number(this.#isOutOfDate)),
    );
  }

  ended({ outcome, needRestart }: ReloadReport): void {
    this.#reloads.inc({ outcome });
    this.#isOutOfDate = outcome === 'failed' || needRestart.length > 0;
  }
}
