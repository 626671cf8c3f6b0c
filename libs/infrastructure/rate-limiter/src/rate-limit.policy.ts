import type { CallContext, Policy, Work } from '@morgan/foundation';
import type { RateLimiter } from './rate-limiter.ts';

/** Which units a policy takes, and for whom. */
export interface RateLimitPolicyOptions {
  readonly limiter: RateLimiter;
  readonly key: string;
  /** Units per call. Default 1. */
  readonly cost?: number;
}

/** Lets work begin when the limiter admits it; the signal and the deadline of the call bound the wait. */
export class RateLimitPolicy implements Policy {
  readonly #options: RateLimitPolicyOptions;

  constructor(options: RateLimitPolicyOptions) {
    this.#options = options;
  }

  async execute<Result>(work: Work<Result>, context: CallContext): Promise<Result> {
    const { limiter, key, cost } = this.#options;
    await limiter.acquire(key, cost, context);
    return work(context);
  }
}
