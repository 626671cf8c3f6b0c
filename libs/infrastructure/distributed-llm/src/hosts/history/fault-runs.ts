import { Runs } from './runs.ts';

/** So many faults in a row, and what was asked for rests: as many as open a breaker by default. */
const MOST_IN_ROW = 5;

/** Whose a fault is: that of the host, or of what was asked for there; whether that has failed too often. */
export type FaultOf = 'host' | 'request kind' | 'request kind, at rest';

/**
 * Faults in a row of each kind of request, a model at a path, that the kind itself may cause. A host that has answered
 * one of another kind since the first of them is well: a broken model must not take from it the calls for all others.
 */
export class FaultRuns {
  readonly #runs = new Runs();
  #wellAt = -Infinity;

  /** One more. */
  add(kind: string): FaultOf {
    const { count, since } = this.#runs.add(kind);
    if (this.#wellAt <= since) return 'host';
    return count < MOST_IN_ROW ? 'request kind' : 'request kind, at rest';
  }

  /** One of the kind was answered that was sent at that time. */
  succeeded(kind: string, sentAt: number): void {
    this.#runs.end(kind);
    this.#wellAt = Math.max(this.#wellAt, sentAt);
  }
}
