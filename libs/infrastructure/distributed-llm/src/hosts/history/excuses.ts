import { LatestMap } from '@morgan/foundation';

/** What is to blame where a request failed alike wherever it was tried. */
type Culprit = 'request' | 'host + model' | 'host';

/** So many different requests may fail in a row, over so many milliseconds, before they are no excuse any more. */
const MOST_EXCUSED = 5;
const LONGEST_EXCUSE_MS = 5_000;
/** Models are named by callers: only the latest so many are remembered. */
const MOST_MODELS = 100;

interface Run {
  readonly count: number;
  readonly since: number;
}

/**
 * How many requests in a row failed at a host and seemed to be to blame themselves, with no success in between: of each
 * model, and of the host as a whole.
 */
export class Excuses {
  readonly #models = new LatestMap<string | undefined, Run>(MOST_MODELS);
  #host: Run | undefined;

  succeeded(model: string | undefined): void {
    this.#host = undefined;
    if (this.#models.size > 0) this.#models.delete(model);
  }

  /**
   * One more.
   * @returns `request` while they are few; then `host + model` where other models have succeeded since they began, else `host`.
   */
  add(model: string | undefined): Culprit {
    const now = performance.now();
    const run = longer(this.#models.get(model), now);
    this.#models.set(model, run);
    const othersSucceeded = this.#host === undefined || this.#host.since > run.since;
    if (isOverdue(run, now) && othersSucceeded) return 'host + model';
    this.#host = longer(this.#host, now);
    return isOverdue(this.#host, now) ? 'host' : 'request';
  }
}

function longer(run: Run | undefined, now: number): Run {
  return { count: (run?.count ?? 0) + 1, since: run?.since ?? now };
}

function isOverdue({ count, since }: Run, now: number): boolean {
  return count > MOST_EXCUSED && now - since >= LONGEST_EXCUSE_MS;
}
