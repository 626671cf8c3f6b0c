import type { Counter, Gauge, Histogram, Metrics } from '@morgan/telemetry';

/** Why a call that found no free slot was not served. */
export type BulkheadRefusal =
  /** The queue had no place. */
  | 'full'
  /** It waited and was given up for a more important call. */
  | 'displaced'
  /** Its deadline came, or would have come, before its turn. */
  | 'deadline'
  /** Its caller went away. */
  | 'aborted';

/** What the gauges show of one bulkhead. */
interface Occupancy {
  readonly running: number;
  readonly waiting: number;
  readonly maxConcurrent: number;
}

/** Something that has occupancies now: one bulkhead, or all those of a `KeyedPolicy`. */
export type OccupancySource = () => Iterable<{ getStatus(): Occupancy }>;

/**
 * The metrics of all bulkheads and adaptive timeouts of one process. The label is the configured name; the keys of a
 * `KeyedPolicy` are summed up under it, because clients could invent them for ever.
 */
export class ConcurrencyMetrics {
  readonly #sources = new Map<string, OccupancySource>();
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
    this.#gauge(metrics, 'running', 'Calls that go on now.');
    this.#gauge(metrics, 'waiting', 'Calls that wait for a slot now.');
    this.#gauge(metrics, 'maxConcurrent', 'Calls that may go on at a time now.');
  }

  /** Shows these bulkheads under this name at every scrape, in place of earlier ones. @returns what ends that. */
  watch(name: string, source: OccupancySource): () => void {
    this.#sources.set(name, source);
    return () => {
      if (this.#sources.get(name) === source) this.#sources.delete(name);
    };
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
    gauge.reset();
    for (const [bulkhead, source] of this.#sources) {
      let sum = 0;
      for (const occupant of source()) sum += occupant.getStatus()[figure];
      gauge.set({ bulkhead }, sum);
    }
  }
}
