import { collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { Counter } from './counter.ts';
import { Histogram } from './histogram.ts';

/** Upper bounds in seconds for anything that a client waits for: from a cached vector to the longest stream that is let through. */
const DURATION_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800,
];

const READABLE_NAME = /^[a-zA-Z_]\w*$/;

/** What Morgan says about one metric. Label values must come from closed sets, or a client could grow them for ever. */
interface MetricOptions<Label extends string> {
  /** Full Prometheus name, starting with `morgan_`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
}

/** A metric that keeps its own numbers. */
interface OwnMetric {
  get(): Promise<object>;
  remove(label: string, value: string): void;
}

/** The metrics of one process. Every part makes its own metrics here; `/metrics` renders them all. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #own: MetricOptions<string>[] = [];
  readonly #counting = new Set<OwnMetric>();

  /** @param options.process adds Node's own figures: CPU, memory, event-loop lag. */
  constructor(options: { process?: boolean } = {}) {
    if (options.process) collectDefaultMetrics({ register: this.#registry });
  }

  /** @param read sets the counts at scrape time, where somebody else counts. */
  counter<Label extends string>(
    options: MetricOptions<Label>,
    read?: (counter: Counter<Label>) => void,
  ): Counter<Label> {
    const { name, help, labelNames } = this.#declare(options);
    return this.#register(new Counter(name, help, labelNames, read));
  }

  /** @param read sets the values at scrape time, for state that somebody else holds; those of the last scrape are gone. */
  gauge<Label extends string>(
    options: MetricOptions<Label>,
    read?: (gauge: Gauge<Label>) => void,
  ): Gauge<Label> {
    const declared = this.#declare(options);
    if (!read) return new Gauge(declared);
    return new Gauge({
      ...declared,
      collect() {
        this.reset();
        read(this);
      },
    });
  }

  histogram<Label extends string>(
    options: MetricOptions<Label> & { buckets?: readonly number[] },
  ): Histogram<Label> {
    const { buckets = DURATION_BUCKETS_SECONDS } = options;
    if (buckets.some((bound, index) => !(bound > (buckets[index - 1] ?? -Infinity))))
      throw new RangeError(`the buckets of ${options.name} are not in ascending order`);
    const { name, help, labelNames } = this.#declare(options);
    return this.#register(new Histogram(name, help, labelNames, buckets));
  }

  /**
   * Ends the counts and histograms of something that is gone for good, whose name is the value of these labels: who makes and
   * stops clients for ever would else fill `/metrics`. Should the name come back, it begins at 0.
   */
  forget(labels: readonly string[], value: string): void {
    for (const metric of this.#counting) for (const label of labels) metric.remove(label, value);
  }

  /** The Markdown table of docs/metrics.md: one row per metric made here, sorted by name. */
  describe(): string {
    const rows = this.#own
      .toSorted((left, right) => (left.name < right.name ? -1 : 1))
      .map(({ name, help, labels = [] }) => {
        const shown = labels.map((label) => `\`${label}\``).join(', ') || '–';
        return `| \`${name}\` | ${shown} | ${help} |`;
      });
    return ['| metric | labels | meaning |', '| --- | --- | --- |', ...rows].join('\n');
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The Prometheus text format. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /**
   * prom-client renders these as it does its own, whose counting hashes the labels anew each time, several times a
   * request.
   */
  #register<Own extends OwnMetric>(metric: Own): Own {
    this.#counting.add(metric);
    this.#registry.registerMetric(metric as unknown as Metric);
    return metric;
  }

  /** @throws RangeError where scrapers could not read a name: they would lose all metrics of the process. */
  #declare<Label extends string>({ name, help, labels = [] }: MetricOptions<Label>) {
    for (const word of [name, ...labels])
      if (!READABLE_NAME.test(word)) throw new RangeError(`"${word}" is no name for a metric or a label`);
    this.#own.push({ name, help, labels });
    return { name, help, labelNames: labels, registers: [this.#registry] };
  }
}

export type { Gauge };
