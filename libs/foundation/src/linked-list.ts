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
 * What is under way, in the order of its coming, where much comes and goes. A `Set` or `Map` is the wrong thing for that:
 * its table is replaced every so many entries, and each old one goes on holding its entries and its successor, so that
 * the garbage of hours hangs together and no minor collection frees it (docs/performance.md).
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
  *[Symbol.iterator](): IterableIterator<Item> {
    let place = this.#first;
    while (place) {
      const { next } = place;
      yield place.item;
      place = next;
    }
  }
}
