/**
 * Spaces the reading of long bodies: all of an application take turns, so that many of them slow down each other and not
 * the rest.
 */
export class ReadingTurns {
  #lastAt = -Infinity;

  /** @param restMs milliseconds from one turn to the next at least, which are left to everything else */
  constructor(private readonly restMs: number) {}

  /** Takes the next turn. @returns milliseconds until then; 0: at once */
  take(): number {
    const now = performance.now();
    this.#lastAt = Math.max(now, this.#lastAt + this.restMs);
    return Math.ceil(this.#lastAt - now);
  }
}
