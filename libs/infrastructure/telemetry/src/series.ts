/** Label values by label name. What is left out is empty. */
export type Labels<Label extends string> = Readonly<Partial<Record<Label, string | number>>>;

/** One of the values of a metric as Prometheus gets it. */
export interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What a metric keeps for each combination of label values, made when it is first met. */
export class Series<Label extends string, Item> {
  readonly #byValues = new Map<string, { readonly labels: Labels<Label>; readonly item: Item }>();

  constructor(
    private readonly names: readonly Label[],
    private readonly create: () => Item,
  ) {
    // A metric without labels shows its zero from the beginning.
    if (names.length === 0) this.at({} as Labels<Label>);
  }

  /** @throws Error for a label that the metric does not have. */
  at(labels: Labels<Label>): Item {
    let key = '';
    for (const name of this.names) key += `${labels[name] ?? ''}\n`;
    return (this.#byValues.get(key) ?? this.#add(key, labels)).item;
  }

  /** Ends every combination that has this value. Who holds an item of one counts for nobody from now on. */
  remove(label: string, value: string): void {
    for (const [key, { labels }] of this.#byValues)
      if (labels[label as Label] === value) this.#byValues.delete(key);
  }

  *[Symbol.iterator](): IterableIterator<readonly [Labels<Label>, Item]> {
    for (const { labels, item } of this.#byValues.values()) yield [labels, item];
  }

  #add(key: string, labels: Labels<Label>) {
    const unknown = Object.keys(labels).find((name) => !this.names.includes(name as Label));
    if (unknown) throw new Error(`there is no label "${unknown}"`);
    const entry = { labels: { ...labels }, item: this.create() };
    this.#byValues.set(key, entry);
    return entry;
  }
}
