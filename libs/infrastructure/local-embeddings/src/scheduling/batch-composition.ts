import type { QueueItem } from './queue-item.ts';

/** What one batch may hold; a single item may be larger than `size`. */
export interface BatchLimits {
  readonly items: number;
  readonly size: number;
}

/** A batch that is being put together, of items that are like its first one: whatever is run together is padded to the longest of it. */
export class BatchComposition {
  readonly items: QueueItem[] = [];
  readonly #limits: BatchLimits;
  #size = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** Whether there is room for an item of this size; the first one has it, whatever it is. */
  hasRoomFor(size: number): boolean {
    if (this.items.length === 0) return true;
    return this.items.length < this.#limits.items && this.#size + size <= this.#limits.size;
  }

  /**
   * Moves the item that is most like the first one into the batch, or the shortest where that one has no room; of an empty batch the
   * shortest is the first.
   * @param waiting the longest first
   * @returns it, if there is one with room
   */
  takeOf(waiting: QueueItem[]): QueueItem | undefined {
    const shortest = waiting.length - 1;
    const index = [this.#placeOfAlike(waiting), shortest].find((place) => this.#fits(waiting[place]));
    if (index === undefined) return undefined;
    const [item] = waiting.splice(index, 1) as [QueueItem];
    this.items.push(item);
    this.#size += item.size;
    return item;
  }

  /** How unlike the first item the one is that is most like it; Infinity where nothing waits. */
  unlikenessOf(waiting: readonly QueueItem[]): number {
    const item = waiting[this.#placeOfAlike(waiting)];
    return item && this.items[0] ? Math.abs(item.size - this.items[0].size) : Infinity;
  }

  #fits(item: QueueItem | undefined): boolean {
    return item !== undefined && this.hasRoomFor(item.size);
  }

  #placeOfAlike(waiting: readonly QueueItem[]): number {
    const size = this.items[0]?.size;
    if (size === undefined) return waiting.length - 1;
    const atMost = firstAtMost(waiting, size);
    const [longer, other] = [waiting[atMost - 1], waiting[atMost]];
    if (!longer || !other) return other ? atMost : atMost - 1;
    return longer.size - size < size - other.size ? atMost - 1 : atMost;
  }
}

/** The first place at which an item is no larger, of items in falling order. */
function firstAtMost(items: readonly QueueItem[], size: number): number {
  let [from, to] = [0, items.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((items[middle] as QueueItem).size > size) from = middle + 1;
    else to = middle;
  }
  return from;
}
