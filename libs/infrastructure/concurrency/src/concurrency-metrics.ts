import type { Counter, Gauge, Histogram, Metrics } from '@morgan/telemetry';

/** Why a call that found no free slot was not served. */
export type BulkheadRefusal =
  /** The queue had no place. */
  | 'full'
  /** Its deadline came, or would have come, before its turn. */
  | 'deadline'
  /** It may not wait, or not so long. */
  | 'wait'
  /** Its caller went away. */
  | 'aborted';

/** What the gauges show of one bulkhead. */
interface Occupancy {
  readonly running: number;
  readonly waiting: number;
  readonly maxConcurrent: number;
}

/** What a scrape reads of a bulkhead. */
interface WatchedBulkhead {
  getStatus(): Occupancy & { readonly name: string };
}

/** The metrics of all bulkheads and adaptive timeouts of one process. Labels are configured names. */
export class ConcurrencyMetrics {
  readonly #bulkheads = new Set<WatchedBulkhead>();
  readonly #refusals: Counter<'bulkhead' | 'reason'>;
  readonly #waits: Histogram<'bulkhead'>;
  readonly #timeouts: Counter<'timeout'>;

  constructor(metrics: Metrics) {
    this.#refusals = metrics.counter({
      name: 'morgan_concurrency_refusals_total',
      help: 'Calls that found no free slot and were not served, by reason.',
      labels: ['bulkhead', 'reason'],
    });
    this.#waits = metrics.histogram({
      name: 'morgan_concurrency_queue_wait_seconds',
      help: 'Time in the queue of the calls that had to wait and were served.',
      labels: ['bulkhead'],
    });
    this.#timeouts = metrics.counter({
      name: 'morgan_concurrency_attempt_timeouts_total',
      help: 'Attempts that were given up because they took longer than their host does.',
      labels: ['timeout'],
    });
    this.#gauge(metrics, 'running', 'Calls that run now.');
    this.#gauge(metrics, 'waiting', 'Calls that wait for a slot now.');
    this.#gauge(metrics, 'maxConcurrent', 'Calls that may run at a time now.');
  }

  /** Shows this bulkhead at every scrape. */
  watch(bulkhead: WatchedBulkhead): void {
    this.#bulkheads.add(bulkhead);
  }

  /** Shows this bulkhead no more; its refusals up to now stay counted. */
  forget(bulkhead: WatchedBulkhead): void {
    this.#bulkheads.delete(bulkhead);
  }

  refused(bulkhead: string, reason: BulkheadRefusal): void {
    this.#refusals.inc({ bulkhead, reason });
  }

  waited(bulkhead: string, ms: number): void {
    this.#waits.observe({ bulkhead }, ms / 1000);
  }

  timedOut(timeout: string): void {
    this.#timeouts.inc({ timeout });
  }

  #gauge(metrics: Metrics, figure: keyof Occupancy, help: string): void {
    const name = `morgan_concurrency_${figure === 'maxConcurrent' ? 'limit' : figure}`;
    metrics.gauge({ name, help, labels: ['bulkhead'] }, (gauge) => this.#show(gauge, figure));
  }

  #show(gauge: Gauge<'bulkhead'>, figure: keyof Occupancy): void {
    for (const bulkhead of this.#bulkheads) {
      const status = bulkhead.getStatus();
      gauge.set({ bulkhead: status.name }, status[figure]);
    }
  }
}
