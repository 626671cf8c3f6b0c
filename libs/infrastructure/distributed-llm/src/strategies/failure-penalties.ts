import { LatestMap } from '@morgan/foundation';
import { keptOf } from './peak-ewma.ts';

const FAILURE_FACTOR = 4;
const LEAST_AFTER_FAILURE_MS = 1_000;
const MOST_AFTER_FAILURE_MS = 300_000;
/** Models are named by callers: only the latest so many are remembered. */
const MOST_MODELS = 100;

interface Penalty {
  readonly ms: number;
  readonly at: number;
}

/**
 * Raises the time to first token that is expected of a target after failures before the first token. A host that fails fast must
 * not look fast; after a few failures any other host looks better, however slow. Counted for each model, so that one that is broken
 * does not keep calls for others away. Times are in milliseconds, of any clock that never goes back.
 */
export class FailurePenalties {
  readonly #models = new LatestMap<string | undefined, Penalty>(MOST_MODELS);
  /** Of what fails whatever is asked for. */
  #ofAll: Penalty | undefined;

  /** The least time that a call for the model is expected to take; 0 where nothing has failed. */
  msAt(now: number, model: string | undefined): number {
    if (!this.#ofAll && this.#models.size === 0) return 0;
    return Math.max(msOf(this.#ofAll, now), msOf(this.#models.get(model), now));
  }

  /**
   * One more, for the model or whatever is asked for, where so much was expected: it counts as four times that.
   * @returns what takes it back, should the request have been to blame; nothing is to be taken back of what is of all.
   */
  add(
    expectedMs: number,
    now: number,
    model: string | undefined,
    isOfAll: boolean,
  ): (() => void) | undefined {
    const ms = Math.min(MOST_AFTER_FAILURE_MS, Math.max(LEAST_AFTER_FAILURE_MS, expectedMs * FAILURE_FACTOR));
    if (isOfAll) {
      this.#ofAll = { ms, at: now };
      return undefined;
    }
    const before = this.#models.get(model);
    const penalty = { ms, at: now };
    this.#models.set(model, penalty);
    return () => {
      if (this.#models.get(model) !== penalty) return;
      if (before) this.#models.set(model, before);
      else this.#models.delete(model);
    };
  }

  /** The model answered: its failures are forgiven. */
  forgive(model: string | undefined): void {
    this.#ofAll = undefined;
    if (this.#models.size > 0) this.#models.delete(model);
  }
}

function msOf(penalty: Penalty | undefined, now: number): number {
  return penalty ? penalty.ms * keptOf(penalty.at, now) : 0;
}
