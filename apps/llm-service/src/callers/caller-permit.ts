import type { AttemptLog } from '@morgan/distributed-llm';
import type { Permit } from '@morgan/rate-limiter';

/** What a call takes of the tokens that its caller may use. */
export class CallerPermit {
  #used = 0;
  /** Of the call, as soon as hosts are asked. */
  attempts: AttemptLog | undefined;

  /** @param estimate none where tokens are not limited */
  constructor(private readonly estimate: Permit | undefined) {}

  /** The tokens of a response, in place of the estimate; those of several responses add up. */
  count(tokens: number): void {
    this.#used += tokens;
    this.estimate?.settle(this.#used);
  }

  /** The call fails. Whoever leaves has had the prompt computed, and so has a call whose time is over before its host is ready. */
  failed(): void {
    if (!this.attempts?.wasLeft) this.refund();
  }

  /** There is no response that anything was used for. */
  refund(): void {
    if (this.#used === 0) this.estimate?.settle(0);
  }
}
