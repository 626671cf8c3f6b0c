/** One place in a {@link LinkedList}. */
export interface ListPlace<Item> {
  readonly item: Item;
}

interface Place<Item> extends ListPlace<Item> {
  list: LinkedList<Item> | undefined;
  previous: Place<Item> | undefined;
  next: Place<Item> | undefined;
}

/**
 * A list of what is under way, the oldest first, for many additions and removals. A `Set` or `Map` is the wrong thing
 * for that: its table is replaced every so many entries, and each old table keeps its entries and its successor alive,
 * so that the garbage of hours is one chain that no minor collection frees (docs/performance.md).
 */
export class LinkedList<Item> {
  #first: Place<Item> | undefined;
  #last: Place<Item> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that has been here for longest. */
  get first(): Item | undefined {
    return this.#first?.item;
  }

  append(item: Item): ListPlace<Item> {
    const place: Place<Item> = { item, list: this, previous: this.#last, next: undefined };
    if (this.#last) this.#last.next = place;
    else this.#first = place;
    this.#last = place;
    this.#size += 1;
    return place;
  }

  /** Takes the one away that has been here for longest. */
  shift(): Item | undefined {
    const first = this.#first;
    if (first) this.remove(first);
    return first?.item;
  }

  /** @returns whether it was here. */
  remove(given: ListPlace<Item>): boolean {
    const place = given as Place<Item>;
    if (place.list !== this) return false;
    const { previous, next } = place;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    // What is gone must lead nowhere.
    place.list = place.previous = place.next = undefined;
    this.#size -= 1;
    return true;
  }

  /** The one whose turn it is may be removed meanwhile. */
  [Symbol.iterator](): Iterator<Item, undefined> {
    // By hand: a generator takes longer and leaves objects behind.
    let place = this.#first;
    return {
      next: () => {
        if (!place) return { done: true, value: undefined };
        const { item, next } = place;
        place = next;
        return { done: false, value: item };
      },
    };
  }
}
