/**
 * Weighted round robin that spreads a heavy host's turns out: with weights 3, 1, 1 the order is a b a c a, never
 * a a a b c. Each turn everyone earns its weight; the richest is picked and pays what all of them earned.
 */
export class SmoothRoundRobin<Item> {
  readonly #credit = new Map<Item, number>();

  /** @param weightOf above 0; it may change from turn to turn. */
  constructor(private readonly weightOf: (item: Item) => number) {}

  /** @param items those that may be picked this time; the others neither earn nor pay. */
  pick(items: readonly Item[]): Item | undefined {
    let richest: Item | undefined;
    let most = -Infinity;
    let earned = 0;
    for (const item of items) {
      const weight = this.weightOf(item);
      const credit = (this.#credit.get(item) ?? 0) + weight;
      this.#credit.set(item, credit);
      earned += weight;
      if (credit > most) [richest, most] = [item, credit];
    }
    if (richest) this.#credit.set(richest, most - earned);
    return richest;
  }
}
