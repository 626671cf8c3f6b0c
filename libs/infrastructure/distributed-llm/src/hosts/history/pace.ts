import { LatestMap, QuantileWindow } from '@morgan/foundation';
import { TargetLoad } from '../../strategies/target-load.ts';

const HISTORY = 64;
const LEAST_HISTORY = 3;
/** A wait is unlikely where it is so many times longer than nearly all waits before it were. */
const UNLIKELY_FACTOR = 2;
const NEARLY_ALL = 0.95;
/** Prompts of fewer tokens are read at once; a longer one takes its time in proportion. */
const LONG_PROMPT_TOKENS = 256;
/** Below this no silence is remarkable, in milliseconds. */
const LEAST_UNLIKELY_MS = 250;

/** Paths are those of the API, and whatever the configuration or a program adds: the latest so many are known. */
const MOST_PATHS = 100;

/** What a target is asked to do: nothing is known of how long one takes by how long another took. */
export interface Work {
  /** Below the base URL; of what hosts keep the same one for all. */
  readonly path: string;
  readonly kind: 'streamed' | 'whole';
}

/**
 * What this process has under way at a host for one model, and how soon it begins to answer. It is the host's, whichever
 * routes lead there: they meet the same load, and a reload of routes forgets nothing of it.
 */
export class Pace {
  readonly load = new TargetLoad();
  readonly #histories = new LatestMap<string, Record<Work['kind'], History>>(MOST_PATHS);

  /** The first content came, of a prompt of so many tokens. */
  began(afterMs: number, { path, kind }: Work, promptTokens: number): void {
    let histories = this.#histories.get(path);
    if (!histories)
      this.#histories.set(path, (histories = { streamed: new History(), whole: new History() }));
    const { waits, prompts } = histories[kind];
    waits.add(afterMs);
    prompts.add(promptTokens);
  }

  /**
   * The longest silence before content that is not remarkable here, in milliseconds. None while too little is known.
   * @param promptTokens where they are more than nearly all before it had, it may take longer by as much.
   */
  usualSilenceMs({ path, kind }: Work, promptTokens = 0): number | undefined {
    const history = this.#histories.get(path)?.[kind];
    if (!history || history.waits.size < LEAST_HISTORY) return undefined;
    const { waits, prompts } = history;
    const usual = waits.quantile(NEARLY_ALL) as number;
    const longest = Math.max(LONG_PROMPT_TOKENS, prompts.quantile(NEARLY_ALL) as number);
    return Math.max(LEAST_UNLIKELY_MS, UNLIKELY_FACTOR * usual) * Math.max(1, promptTokens / longest);
  }
}

/** Of the latest calls: how long they waited, and how long their prompts were. */
class History {
  readonly waits = new QuantileWindow(HISTORY);
  readonly prompts = new QuantileWindow(HISTORY);
}
