import { type Labels, type Sample, Series } from './series.ts';

/** The observations of one combination of labels; keep it where observing is hot. */
class Distribution {
  sum = 0;
  /** One more than there are bounds: the last is for what is above all of them. */
  readonly counts: Float64Array;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += value;
  }
}

/** How values are distributed over buckets, for each combination of labels. */
export class Histogram<Label extends string = string> {
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #bounds: readonly number[];
  readonly #distributions: Series<Label, Distribution>;

  /** @param bounds upper bounds of the buckets, ascending. */
  constructor(
    readonly name: string,
    readonly help: string,
    labels: readonly Label[],
    bounds: readonly number[],
  ) {
    this.#bounds = bounds;
    this.#distributions = new Series(labels, () => new Distribution(bounds));
  }

  observe(labels: Labels<Label>, value: number): void {
    this.#distributions.at(labels).observe(value);
  }

  labels(labels: Labels<Label>): Distribution {
    return this.#distributions.at(labels);
  }

  /** Shows no combination with this value any more. */
  remove(label: string, value: string): void {
    this.#distributions.remove(label, value);
  }

  /** For the registry. */
  get(): Promise<{ name: string; help: string; type: string; aggregator: string; values: Sample[] }> {
    const { name, help, type, aggregator } = this;
    const values = [...this.#distributions].flatMap(([labels, one]) =>
      this.#samples(labels as Sample['labels'], one),
    );
    return Promise.resolve({ name, help, type, aggregator, values });
  }

  /** Buckets count all that is at most their bound. */
  #samples(labels: Sample['labels'], { sum, counts }: Distribution): Sample[] {
    let count = 0;
    const buckets = Array.from(counts, (inBucket, index) => {
      count += inBucket;
      const le = this.#bounds[index] ?? '+Inf';
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ];
  }
}
