import { LatestMap } from '@morgan/foundation';

/** The same thing several times in a row, on the clock of `performance.now()`. */
interface Run {
  readonly count: number;
  /** When the first of them was. */
  readonly since: number;
  /** When the last of them was. */
  readonly at: number;
}

/** Models are named by callers: only the latest so many runs are remembered. */
const MOST_RUNS = 100;

/** What happens several times in a row, by what was asked for. Memory is bounded: the runs that grew last stay. */
export class Runs {
  readonly #runs = new LatestMap<string, Run>(MOST_RUNS);

  /** One more. @returns its run, with it. */
  add(key: string): Run {
    const now = performance.now();
    const before = this.#runs.get(key);
    const run = { count: (before?.count ?? 0) + 1, since: before?.since ?? now, at: now };
    this.#runs.set(key, run);
    return run;
  }

  get(key: string): Run | undefined {
    // As nearly always there are none: a key that is not looked for is never put together.
    return this.#runs.size > 0 ? this.#runs.get(key) : undefined;
  }

  end(key: string): void {
    if (this.#runs.size > 0) this.#runs.delete(key);
  }
}
