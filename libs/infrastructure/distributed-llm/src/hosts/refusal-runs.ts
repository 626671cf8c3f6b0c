/** So many requests in a row may be refused before that may be the host's own doing. */
const MOST_IN_ROW = 8;
/** Models are named by callers: only the latest so many runs are remembered. */
const MOST_RUNS = 100;
/** How long the last of so many puts the host behind others, in milliseconds. */
const LASTS_MS = 10_000;

interface Run {
  readonly count: number;
  /** When the last of them was refused, on the clock of `performance.now()`. */
  readonly at: number;
}

/**
 * How many requests in a row a host has refused as malformed or as not for it, by what was asked for, with none that it
 * answered in between: one that is set up wrong, without a chat template or behind the wrong proxy, refuses them all.
 */
export class RefusalRuns {
  readonly #runs = new Map<string, Run>();

  /** One more. */
  add(key: string): void {
    const count = (this.#runs.get(key)?.count ?? 0) + 1;
    this.#runs.delete(key);
    this.#runs.set(key, { count, at: performance.now() });
    if (this.#runs.size > MOST_RUNS) this.#runs.delete(this.#runs.keys().next().value as string);
  }

  /** Whether there are so many that the host seems to refuse whatever it is sent. */
  isLong(key: string): boolean {
    return (this.#runs.get(key)?.count ?? 0) > MOST_IN_ROW;
  }

  /** Whether the last of so many was a moment ago. */
  isRecent(key: string): boolean {
    const run = this.#runs.size > 0 ? this.#runs.get(key) : undefined;
    return run !== undefined && run.count > MOST_IN_ROW && performance.now() - run.at < LASTS_MS;
  }

  /** It answered such a request. */
  end(key: string): void {
    // As nearly always there are none: a key that is not looked for is never put together.
    if (this.#runs.size > 0) this.#runs.delete(key);
  }
}
