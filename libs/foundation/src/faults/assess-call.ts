import type { CallContext } from '../call-context.ts';
import { classifyFault, statusOf } from './classify-fault.ts';
import type { FaultTraits } from './fault.ts';
import { faultOfStatus } from './fault-table.ts';

/** How a call ended. */
export type CallEnding = { readonly result: unknown } | { readonly error: unknown };

/** What the end of a call says about its host, and whether the host had too much load. */
export type Assessment = Pick<FaultTraits, 'verdict' | 'overloaded'>;

/**
 * Says what an ended call means for breaker, bulkhead and health. It must not throw.
 * @param tookMs how long it took, in milliseconds, where whoever asks has measured it, as a breaker has
 */
export type CallAssessor = (ending: CallEnding, context: CallContext, tookMs?: number) => Assessment;

const SUCCESS: Assessment = { verdict: 'success', overloaded: false };
const IGNORED: Assessment = { verdict: 'ignored', overloaded: false };

/**
 * The assessor of every policy that has no other. An HTTP status in the result decides (5xx, 408, 425, 429: failure),
 * else any result is a success. The caller's own abort is ignored, but running out of time is a failure; other errors
 * are what {@link classifyFault} finds.
 */
export const assessCall: CallAssessor = (ending, { signal }) => {
  if ('result' in ending) {
    const status = statusOf(ending.result);
    return status === undefined || status < 400 ? SUCCESS : faultOfStatus(status);
  }
  if (!signal.aborted) return classifyFault(ending.error);
  const reason = classifyFault(signal.reason);
  return reason.category === 'timeout' ? reason : IGNORED;
};
