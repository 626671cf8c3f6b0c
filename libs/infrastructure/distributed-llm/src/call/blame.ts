import { EVIDENCE } from '../evidence/evidence-table.ts';
import type { Attempt, AttemptFailure } from './attempt.ts';

/** An attempt that gave nothing to hand out, and why. */
export interface FailedAttempt {
  readonly attempt: Attempt;
  readonly failure: AttemptFailure;
}

/** So many targets that fail alike are enough: the request would fail at the next one, too. */
const ENOUGH_ALIKE = 3;

/** Failures that a request can cause, and that nothing tells apart. */
export function failedAlike(failed: readonly FailedAttempt[]): readonly FailedAttempt[] {
  const last = failed.at(-1);
  if (!last || !EVIDENCE[last.failure.outcome].mayBeRequest) return [];
  const signature = signatureOf(last.failure);
  return failed.filter(({ failure }) => signatureOf(failure) === signature);
}

/** Whether one more target would only fail as well. */
export function isAboutRequest(failed: readonly FailedAttempt[]): boolean {
  return hostsOf(failedAlike(failed)) >= ENOUGH_ALIKE;
}

/**
 * Books what is still open when a call ends: on the hosts, or on the request where several hosts failed alike.
 * @param isKnown the request failed alike before.
 * @returns whether the request is to be remembered.
 */
export function bookOpen(failed: readonly FailedAttempt[], isAnswered: boolean, isKnown: boolean): boolean {
  const open = failed.filter(({ failure }) => EVIDENCE[failure.outcome].mayBeRequest);
  if (open.length === 0) return false;
  const alike = isAnswered ? [] : failedAlike(failed);
  // A sole host cannot show that the request is to blame.
  const isRequest = hostsOf(alike) > 1 || (isKnown && !isAnswered);
  for (const { attempt, failure } of open) {
    attempt.target.host.decide();
    const isExcused = isRequest && (isKnown || alike.some((other) => other.attempt === attempt));
    attempt.book(isExcused ? 'none' : EVIDENCE[failure.outcome].weight);
  }
  return isRequest;
}

function hostsOf(failed: readonly FailedAttempt[]): number {
  return new Set(failed.map(({ attempt }) => attempt.target.host)).size;
}

function signatureOf({ outcome, answer }: AttemptFailure): string {
  return `${outcome} ${answer?.signature ?? ''}`;
}
