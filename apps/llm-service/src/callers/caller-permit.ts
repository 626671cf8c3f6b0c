import type { Permit } from '@morgan/rate-limiter';

/** What a call takes of the tokens that its caller may use. */
export class CallerPermit {
  #used = 0;

  /** @param estimate none where tokens are not limited */
  constructor(private readonly estimate: Permit | undefined) {}

  /** The tokens of a response, in place of the estimate; those of several responses add up. */
  count(tokens: number): void {
    this.#used += tokens;
    this.estimate?.settle(this.#used);
  }

  /** There is no response that anything was used for. */
  refund(): void {
    if (this.#used === 0) this.estimate?.settle(0);
  }
}
