import { LatestMap } from '@morgan/foundation';

/** What is to blame where a request failed alike wherever it was tried. */
type Culprit = 'request' | 'host + model' | 'host';

/** More failed requests in a row than this, over at least so many milliseconds, are not put down to the requests any more. */
const MOST_EXCUSED = 5;
const LONGEST_EXCUSE_MS = 5_000;
/** Models are named by callers: only the latest so many are remembered. */
const MOST_MODELS = 100;

interface Run {
  readonly count: number;
  readonly since: number;
}

/**
 * Counts the failures in a row that were put down to the requests and not to the host, without a success in between: of each model,
 * and of the host as a whole. Many different requests that all fail show that the host or the model is at fault after all.
 */
export class Excuses {
  readonly #models = new LatestMap<string | undefined, Run>(MOST_MODELS);
  #host: Run | undefined;

  succeeded(model: string | undefined): void {
    this.#host = undefined;
    if (this.#models.size > 0) this.#models.delete(model);
  }

  /**
   * Counts one more.
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
