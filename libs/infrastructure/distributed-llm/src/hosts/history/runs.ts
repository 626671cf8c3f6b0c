import { LatestMap } from '@morgan/foundation';

/** Events of one key in a row; times are those of `performance.now()`. */
interface Run {
  readonly count: number;
  /** When the first of them was. */
  readonly since: number;
  /** When the last of them was. */
  readonly at: number;
}

/** Models are named by callers: only the latest so many runs are remembered. */
const MOST_RUNS = 100;

/** Counts events in a row by key. Memory is bounded: the runs that grew last stay. */
export class Runs {
  readonly #runs = new LatestMap<string, Run>(MOST_RUNS);

  /** Counts one more. @returns its run, this one included. */
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
