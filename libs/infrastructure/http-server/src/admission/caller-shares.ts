/** A caller may have so many times as many calls under way as there are places left. */
const TIMES_WHAT_IS_LEFT = 3;

/**
 * Counts the calls of each caller, so that none of several can take every place of a service, and no few of them together:
 * a single greedy one gets three quarters, a second one three quarters of the rest, and so on (a dynamic threshold, as switches
 * share their buffers). Whoever has none under way may have any place that is left.
 */
export class CallerShares {
  readonly #calls = new Map<string, number>();

  /** @param callers how many there are now: a single one may have all places. */
  constructor(private readonly callers: () => number) {}

  /** Calls that a caller has under way. */
  countOf(caller: string): number {
    return this.#calls.get(caller) ?? 0;
  }

  /** Whether a caller has to leave what is free to others. @param free places, before the call takes one of them */
  isUsedUp(caller: string, free: number): boolean {
    const count = this.countOf(caller);
    return count > 0 && this.callers() > 1 && count + 1 > TIMES_WHAT_IS_LEFT * (free - 1);
  }

  enter(caller: string): void {
    this.#calls.set(caller, this.countOf(caller) + 1);
  }

  leave(caller: string): void {
    const left = this.countOf(caller) - 1;
    if (left > 0) this.#calls.set(caller, left);
    else this.#calls.delete(caller);
  }
}
