import { Runs } from './runs.ts';

/** After so many faults in a row this kind of request rests. A breaker opens after as many by default. */
const MOST_IN_ROW = 5;

/** What a fault counts against: the host, or the kind of request; and whether that kind has failed too often. */
export type FaultOf = 'host' | 'request kind' | 'request kind, at rest';

/**
 * Faults in a row of each kind of request, a model at a path, that the kind itself may cause. A host that has answered
 * one of another kind since the first of them is well: a broken model must not take from it the calls for all others.
 */
export class FaultRuns {
  readonly #runs = new Runs();
  #wellAt = -Infinity;

  /** Counts one more fault of the kind. */
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
