import type { Counter, Metrics } from '@morgan/telemetry';
import {
  type Admission,
  type AdmissionObserver,
  REFUSAL_REASONS,
  type RefusalReason,
} from '../admission/admission.ts';

/** What admission, uploads and readers do to calls, in figures. */
export class BodyMetrics implements AdmissionObserver {
  readonly #refused: Counter<'reason'>;
  readonly #slowUploads: Counter<never>;
  readonly #stalledReaders: Counter<never>;
  #admission: Admission | undefined;

  constructor(metrics: Metrics) {
    this.#refused = metrics.counter({
      name: 'morgan_http_refused_total',
      help: 'Requests refused before their body was held, by the limit that was reached: with 429 where it is that of one of several callers (`caller_calls`), else with 503.',
      labels: ['reason'],
    });
    // A series that begins with its first refusal would hide that from every rate.
    for (const reason of REFUSAL_REASONS) this.#refused.inc({ reason }, 0);
    this.#slowUploads = metrics.counter({
      name: 'morgan_http_slow_uploads_total',
      help: 'Requests refused with 408 because their body came too slowly.',
    });
    this.#stalledReaders = metrics.counter({
      name: 'morgan_http_stalled_readers_total',
      help: 'Answers that were broken off because their client had stopped reading.',
    });
    metrics.gauge(
      {
        name: 'morgan_http_body_bytes',
        help: 'Bytes of request bodies that are held now, announced ones included.',
      },
      (gauge) => gauge.set(this.#admission?.bytes ?? 0),
    );
    metrics.gauge(
      { name: 'morgan_http_waiting_requests', help: 'Requests that wait for room for their body.' },
      (gauge) => gauge.set(this.#admission?.waiting ?? 0),
    );
  }

  watch(admission: Admission): void {
    this.#admission = admission;
  }

  refused(reason: RefusalReason): void {
    this.#refused.inc({ reason });
  }

  slowUpload(): void {
    this.#slowUploads.inc();
  }

  stalledReader(): void {
    this.#stalledReaders.inc();
  }
}
