import { Runs } from './runs.ts';

/** After more refusals in a row than this the host itself may be at fault. */
const MOST_IN_ROW = 8;
/** How long after the last of them the host is asked after others, in milliseconds. */
const LASTS_MS = 10_000;

/**
 * How many requests in a row a host has refused as malformed or as not for it, by what was asked for, with none that it
 * answered in between: one that is set up wrong, without a chat template or behind the wrong proxy, refuses them all.
 */
export class RefusalRuns extends Runs {
  /** Whether there are so many that the host seems to refuse whatever it is sent. */
  isLong(key: string): boolean {
    return (this.get(key)?.count ?? 0) > MOST_IN_ROW;
  }

  /** Whether the last of so many was a moment ago. */
  isRecent(key: string): boolean {
    return this.isLong(key) && performance.now() - (this.get(key)?.at ?? 0) < LASTS_MS;
  }
}
