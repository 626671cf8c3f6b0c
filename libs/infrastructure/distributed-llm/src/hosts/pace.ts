import { QuantileWindow } from '@morgan/foundation';
import { TargetLoad } from '../strategies/target-load.ts';

const HISTORY = 64;
const LEAST_HISTORY = 3;
/** A wait is unlikely where it is so many times longer than nearly all waits before it were. */
const UNLIKELY_FACTOR = 2;
const NEARLY_ALL = 0.95;
/** Below this no silence is remarkable, in milliseconds. */
const LEAST_UNLIKELY_MS = 250;

/**
 * What this process has under way at a host for one model, and how soon it begins to answer. It is the host's, whichever
 * routes lead there: they meet the same load, and a reload of routes forgets nothing of it.
 */
export class Pace {
  readonly load = new TargetLoad();
  readonly #history = { streamed: new QuantileWindow(HISTORY), whole: new QuantileWindow(HISTORY) };

  /** The first content came. */
  began(afterMs: number, kind: 'streamed' | 'whole'): void {
    this.#history[kind].add(afterMs);
  }

  /** The longest silence before content that is not remarkable here, in milliseconds. None while too little is known. */
  usualSilenceMs(kind: 'streamed' | 'whole'): number | undefined {
    const history = this.#history[kind];
    if (history.size < LEAST_HISTORY) return undefined;
    const usual = history.quantile(NEARLY_ALL) as number;
    return Math.max(LEAST_UNLIKELY_MS, UNLIKELY_FACTOR * usual);
  }
}
