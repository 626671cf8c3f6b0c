import type { Permit } from './permit.ts';

/** Not now. */
export interface LimitRefusal {
  readonly admitted: false;
  /** When the same ask would be admitted, if nobody came in between, in milliseconds. */
  readonly retryAfterMs: number;
  /** Used part of the capacity of its key. */
  readonly utilisation: number;
}

/** The outcome of `tryAcquire`. */
export type Decision = Permit | LimitRefusal;
