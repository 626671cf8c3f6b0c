/** Latencies of calls that met the same conditions, each with the calls that were in flight when it began. */
export class LatencyBatch {
  #count = 0;
  #skip = 0;
  #sumMs = 0;
  #sumInFlight = 0;

  get count(): number {
    return this.#count;
  }

  get meanMs(): number {
    return this.#sumMs / this.#count;
  }

  get meanInFlight(): number {
    return this.#sumInFlight / this.#count;
  }

  add(latencyMs: number, inFlight: number): void {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    this.#count += 1;
    this.#sumMs += latencyMs;
    this.#sumInFlight += inFlight;
  }

  /** @param skip the next so many are passed over: the first to end are the short ones, and not typical. */
  restart(skip = 0): void {
    this.#count = this.#sumMs = this.#sumInFlight = 0;
    this.#skip = skip;
  }
}
