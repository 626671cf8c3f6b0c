import { isAmount } from './limit.ts';
import type { StoreDecision } from './limit-store.ts';

/** What was admitted, and the way to tell what it cost in the end. */
export class Permit {
  readonly admitted = true;
  #cost: number;
  readonly #decision: StoreDecision;
  readonly #settled: (key: string) => void;

  /** @param settled is told when the truth differs from the estimate. */
  constructor(
    private readonly key: string,
    cost: number,
    decision: StoreDecision,
    settled: (key: string) => void,
  ) {
    this.#cost = cost;
    this.#decision = decision;
    this.#settled = settled;
  }

  /** Used part of the capacity of its key just after this was admitted; above 1 when calls cost more than they had reserved. */
  get utilisation(): number {
    return this.#decision.utilisation;
  }

  /**
   * Replaces the estimate that was reserved by the truth, in units: 0 gives everything back. Returns at once.
   * @throws RangeError for what is no such number; NaN would end the limit of its key for good, in all replicas.
   */
  settle(cost: number): void {
    if (!isAmount(cost)) throw new RangeError('a cost must be a number of units, 0 or more');
    const from = this.#cost;
    if (cost === from) return;
    this.#cost = cost;
    const { at, decidedBy } = this.#decision;
    decidedBy.correct(this.key, { takenAt: at, from, to: cost });
    this.#settled(this.key);
  }
}
