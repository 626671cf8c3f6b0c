/** Whose turn it is to read of a long body: all of an application share one row of turns, so that long bodies are as slow as they are many. */
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
