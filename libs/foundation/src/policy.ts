import { type CallContext, newCall } from './call-context.ts';

/** Something to do for a call. It stops when `context.signal` aborts. */
export type Work<Result> = (context: CallContext) => Promise<Result>;

/**
 * The one shape of everything that decides whether and when something happens: breaker, limiter, retry, bulkhead. A
 * policy may refuse, delay, repeat or cut short the work; it never changes the result. Without a context it is a call of its own.
 */
export interface Policy {
  execute<Result>(work: Work<Result>, context?: CallContext): Promise<Result>;
}

/** Puts policies around each other: the first is the outermost. */
export function compose(...policies: readonly Policy[]): Policy {
  return {
    execute: (work, context = newCall()) =>
      policies.reduceRight<typeof work>(
        (inner, policy) => (next) => policy.execute(inner, next),
        work,
      )(context),
  };
}
