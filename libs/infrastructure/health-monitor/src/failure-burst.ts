/** Live calls that fail in a row, close together. */
export class FailureBurst {
  #times: number[] = [];

  /** @param size failures that make a burst. @param windowMs how close the first and the last must be. */
  constructor(
    private readonly size: number,
    private readonly windowMs: number,
  ) {}

  /** @returns whether this failure completes a burst. */
  add(now: number): boolean {
    this.#times.push(now);
    while (now - (this.#times[0] as number) > this.windowMs) this.#times.shift();
    return this.#times.length >= this.size;
  }

  /** A success ends the row. */
  clear(): void {
    if (this.#times.length > 0) this.#times = [];
  }
}
