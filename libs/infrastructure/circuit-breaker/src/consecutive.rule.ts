import type { EndedCall, TripReason, TripRule } from './trip-rule.ts';

/** Opens after so many failures in a row. */
export class ConsecutiveRule implements TripRule {
  #inRow = 0;

  constructor(private readonly threshold: number) {}

  judge({ failed }: EndedCall): TripReason | undefined {
    this.#inRow = failed ? this.#inRow + 1 : 0;
    return this.#inRow >= this.threshold ? 'consecutive_failures' : undefined;
  }
}
