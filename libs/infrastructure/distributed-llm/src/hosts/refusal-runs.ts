/** So many requests in a row may be refused before that may be the host's own doing. */
const MOST_IN_ROW = 8;
/** Models are named by callers: only the latest so many runs are remembered. */
const MOST_RUNS = 100;

/**
 * How many requests in a row a host has refused as malformed or as not for it, by what was asked for, with none that it
 * answered in between: one that is set up wrong, without a chat template or behind the wrong proxy, refuses them all.
 */
export class RefusalRuns {
  readonly #runs = new Map<string, number>();

  /** One more. */
  add(key: string): void {
    const count = (this.#runs.get(key) ?? 0) + 1;
    this.#runs.delete(key);
    this.#runs.set(key, count);
    if (this.#runs.size > MOST_RUNS) this.#runs.delete(this.#runs.keys().next().value as string);
  }

  /** Whether there are so many that the host seems to refuse whatever it is sent. */
  isLong(key: string): boolean {
    return (this.#runs.get(key) ?? 0) > MOST_IN_ROW;
  }

  /** It answered such a request. */
  end(key: string): void {
    // As nearly always there are none: a key that is not looked for is never put together.
    if (this.#runs.size > 0) this.#runs.delete(key);
  }
}
