/** The most of all calls that one of several callers may have under way: the rest is for the others, however much it sends. */
const LARGEST_SHARE = 3 / 4;

/** Counts the calls of each caller, so that none of several can take every place of a service. */
export class CallerShares {
  readonly #calls = new Map<string, number>();
  /** Calls that one caller may have under way. */
  readonly most: number;

  /** @param callers how many there are: a single one may have all places. */
  constructor(maxCalls: number, callers: number) {
    this.most = callers > 1 ? Math.ceil(maxCalls * LARGEST_SHARE) : Infinity;
  }

  isUsedUp(caller: string): boolean {
    return (this.#calls.get(caller) ?? 0) >= this.most;
  }

  enter(caller: string): void {
    this.#calls.set(caller, (this.#calls.get(caller) ?? 0) + 1);
  }

  leave(caller: string): void {
    const left = (this.#calls.get(caller) ?? 0) - 1;
    if (left > 0) this.#calls.set(caller, left);
    else this.#calls.delete(caller);
  }
}
