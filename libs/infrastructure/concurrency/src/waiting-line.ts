import type { Waiter } from './waiter.ts';

/** The waiters of one priority, first come first. */
interface Level {
  readonly priority: number;
  first: Waiter | undefined;
  last: Waiter | undefined;
  length: number;
}

/**
 * Waiters by priority, first come first served within one. Adding and removing take time in the number of different
 * priorities, never in the number of waiters.
 */
export class WaitingLine {
  /** Highest priority first; none is empty. */
  readonly #levels: Level[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Who goes next. */
  get first(): Waiter | undefined {
    return this.#levels[0]?.first;
  }

  /** Who is given up first when there is no room: the newest of the lowest priority. */
  get last(): Waiter | undefined {
    return this.#levels.at(-1)?.last;
  }

  /** How many would go before a newcomer of this priority. */
  ahead(priority: number): number {
    let count = 0;
    for (const level of this.#levels) if (level.priority >= priority) count += level.length;
    return count;
  }

  add(waiter: Waiter): void {
    const level = this.#level(waiter.priority);
    waiter.previous = level.last;
    if (level.last) level.last.next = waiter;
    else level.first = waiter;
    level.last = waiter;
    level.length += 1;
    this.#length += 1;
  }

  /** Takes out one that is in the line. */
  remove(waiter: Waiter): void {
    const level = this.#level(waiter.priority);
    const { previous, next } = waiter;
    if (previous) previous.next = next;
    else level.first = next;
    if (next) next.previous = previous;
    else level.last = previous;
    waiter.previous = waiter.next = undefined;
    level.length -= 1;
    this.#length -= 1;
    if (level.length === 0) this.#levels.splice(this.#levels.indexOf(level), 1);
  }

  #level(priority: number): Level {
    const index = this.#levels.findIndex((level) => level.priority <= priority);
    const found = this.#levels[index];
    if (found?.priority === priority) return found;
    const level = { priority, first: undefined, last: undefined, length: 0 };
    this.#levels.splice(index < 0 ? this.#levels.length : index, 0, level);
    return level;
  }
}
