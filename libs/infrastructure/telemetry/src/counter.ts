import { type Labels, type Sample, Series } from './series.ts';

/** The count of one combination of labels; keep it where counting is hot. */
export class Count {
  value = 0;

  inc(by = 1): void {
    this.value += by;
  }
}

/** A number that only rises, for each combination of labels. Counting costs a look-up and an addition. */
export class Counter<Label extends string = string> {
  readonly type = 'counter';
  readonly aggregator = 'sum';
  readonly #counts: Series<Label, Count>;

  constructor(
    readonly name: string,
    readonly help: string,
    labels: readonly Label[],
    private readonly read: (counter: Counter<Label>) => void = () => undefined,
  ) {
    this.#counts = new Series(labels, () => new Count());
  }

  inc(labels: Labels<Label> = {} as Labels<Label>, by = 1): void {
    this.#counts.at(labels).inc(by);
  }

  labels(labels: Labels<Label>): Count {
    return this.#counts.at(labels);
  }

  /** Shows no combination with this value any more. */
  remove(label: string, value: string): void {
    this.#counts.remove(label, value);
  }

  /** For the registry. */
  get(): Promise<{ name: string; help: string; type: string; aggregator: string; values: Sample[] }> {
    const { name, help, type, aggregator } = this;
    this.read(this);
    const values = [...this.#counts].map(([labels, { value }]) => ({ metricName: name, labels, value }));
    return Promise.resolve({ name, help, type, aggregator, values: values as Sample[] });
  }
}
