/** Label values by label name. What is left out is empty. */
export type Labels<Label extends string> = Readonly<Partial<Record<Label, string | number>>>;

/** One of the values of a metric as Prometheus gets it. */
export interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** From the values of one label to those of the next. Behind the last one is what is kept for the combination. */
interface Level<Label extends string, Item> {
  readonly next: Map<string, Level<Label, Item>>;
  kept: readonly [labels: Labels<Label>, item: Item] | undefined;
}

/**
 * What a metric keeps for each combination of label values, made when it is first met. A look-up goes from label to label
 * and builds no key: it happens several times in each call.
 */
export class Series<Label extends string, Item> {
  readonly #root: Level<Label, Item> = { next: new Map(), kept: undefined };

  constructor(
    private readonly names: readonly Label[],
    private readonly create: () => Item,
  ) {
    // A metric without labels shows its zero from the beginning.
    if (names.length === 0) this.at({} as Labels<Label>);
  }

  /** @throws Error for a label that the metric does not have. */
  at(labels: Labels<Label>): Item {
    let level = this.#root;
    for (const name of this.names) {
      const value = labels[name] ?? '';
      const next = level.next.get(typeof value === 'string' ? value : String(value));
      if (!next) return this.#add(labels);
      level = next;
    }
    return level.kept ? level.kept[1] : this.#add(labels);
  }

  /** Ends every combination that has this value. Who holds an item of one counts for nobody from now on. */
  remove(label: string, value: string): void {
    const depth = this.names.indexOf(label as Label);
    if (depth >= 0) removeAt(this.#root, depth, value);
  }

  *[Symbol.iterator](): IterableIterator<readonly [Labels<Label>, Item]> {
    yield* keptBelow(this.#root);
  }

  #add(labels: Labels<Label>): Item {
    const unknown = Object.keys(labels).find((name) => !this.names.includes(name as Label));
    if (unknown) throw new Error(`there is no label "${unknown}"`);
    let level = this.#root;
    for (const name of this.names) {
      const value = String(labels[name] ?? '');
      const next = level.next.get(value) ?? { next: new Map(), kept: undefined };
      level.next.set(value, next);
      level = next;
    }
    level.kept = [{ ...labels }, this.create()];
    return level.kept[1];
  }
}

function* keptBelow<Label extends string, Item>({
  next,
  kept,
}: Level<Label, Item>): Generator<readonly [Labels<Label>, Item]> {
  if (kept) yield kept;
  for (const level of next.values()) yield* keptBelow(level);
}

function removeAt<Label extends string, Item>(
  { next }: Level<Label, Item>,
  depth: number,
  value: string,
): void {
  if (depth === 0) next.delete(value);
  else for (const level of next.values()) removeAt(level, depth - 1, value);
}
