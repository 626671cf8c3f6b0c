import { EVIDENCE } from '../evidence/evidence-table.ts';
import type { Attempt } from '../attempt/attempt.ts';
import type { AttemptFailure } from '../attempt/attempt-result.ts';
import { noteKindOutage, noteModelOutage } from '../attempt/failure-memory.ts';
import type { RememberedRequest, RequestMemory } from './request-memory.ts';

/** An attempt that gave nothing to hand out, and why. */
export interface FailedAttempt {
  readonly attempt: Attempt;
  readonly failure: AttemptFailure;
}

/** A call that is over, as far as blame needs it. */
interface BlamedCall {
  readonly request: RememberedRequest;
  readonly failed: readonly FailedAttempt[];
  /** Whether a host had a response for the caller. */
  readonly hasResponse: boolean;
  /** The request failed alike before. */
  readonly isPoisonous: boolean;
}

/** After so many hosts that fail alike the request is taken to fail at the next one, too. */
const ENOUGH_ALIKE = 3;

/** Whether one more target would only fail as well. */
export function isAboutRequest(failed: readonly FailedAttempt[]): boolean {
  return hostsOf(failedAlike(failed)) >= ENOUGH_ALIKE;
}

/** Whether a refusal may be due to a host that refuses whatever it is sent: then one more host is asked. */
export function mayBeHosts(failed: readonly FailedAttempt[]): boolean {
  const last = failed.at(-1);
  if (!last || !EVIDENCE[last.failure.outcome].mayBeHost) return false;
  const { outcome } = last.failure;
  const { target, call } = last.attempt;
  const isFirst = failed.filter(({ failure }) => failure.outcome === outcome).length === 1;
  return isFirst && target.host.refusesAll(target.modelFor(call.facts.model), call.facts.path);
}

/** Whether a failure is one that requests were to blame for lately. */
export function isKnownFailure(failed: FailedAttempt | undefined, memory: RequestMemory): boolean {
  if (!failed || !EVIDENCE[failed.failure.outcome].mayBeRequest) return false;
  return memory.hasFailure(signatureOf(failed.failure));
}

/**
 * Books what is still open when a call ends: on the hosts, or on the request where several hosts failed alike. Where
 * different requests fail so and none succeeds, the hosts or what they have of the model are to blame after all, and the
 * memory of requests was wrong.
 */
export function bookOpen(
  { request, failed, hasResponse, isPoisonous }: BlamedCall,
  memory: RequestMemory,
): void {
  if (hasResponse && isPoisonous) memory.forget(request);
  const open = failed.filter(
    ({ attempt, failure }) => EVIDENCE[failure.outcome].mayBeRequest && !attempt.isByCaller,
  );
  if (open.length === 0) return;
  if (hasResponse) for (const { failure } of open) memory.forgetFailure(signatureOf(failure));
  const hosts = [...new Set(open.map(({ attempt }) => attempt.target.host))];
  const wereFine = hosts.map((host) => host.wasFine()).every(Boolean);
  // Engines of several kinds have each its own words for what none of them can serve.
  const alike = hasResponse ? [] : wereFine ? open : failedAlike(failed);
  // A sole host cannot show that the request is to blame.
  const isShown = hostsOf(alike) > 1;
  const isRequest = !hasResponse && (isShown || isPoisonous || isKnownFailure(alike.at(-1), memory));
  let isOutage = false;
  const verdicts = open.map(({ attempt, failure }) => {
    const { target, call } = attempt;
    const isExcused = isRequest && (isPoisonous || alike.some((other) => other.attempt === attempt));
    const isCounted = isExcused && !isPoisonous;
    const culprit = isCounted ? target.host.excuses.add(target.modelFor(call.facts.model)) : 'request';
    return { attempt, failure, isExcused, isCounted, culprit };
  });
  // One of them answers other requests: it is not how the hosts are that tells those from this one.
  const isAnswered = verdicts.some(({ isCounted, culprit }) => isCounted && culprit === 'request');
  for (const { attempt, failure, isExcused, culprit: own } of verdicts) {
    const culprit = isAnswered ? 'request' : own;
    attempt.target.host.decide();
    isOutage ||= culprit !== 'request';
    if (culprit === 'host + model') noteModelOutage(attempt, failure);
    if (isExcused && culprit !== 'host') attempt.book('none');
    else bookFault(attempt, failure);
  }
  if (isOutage) memory.clear();
  else if (isShown || isPoisonous) for (const { failure } of alike) memory.add(request, signatureOf(failure));
}

/**
 * Books a fault on the host. If the host answers everything but this kind of request, breaker and health hear nothing, and the kind
 * rests in the end.
 */
function bookFault(attempt: Attempt, failure: AttemptFailure): void {
  const { target, call } = attempt;
  const of = target.host.faulted(target.modelFor(call.facts.model), call.facts.path);
  if (of === 'request kind, at rest') noteKindOutage(attempt, failure);
  attempt.book(EVIDENCE[failure.outcome].weight, of === 'host');
}

/** The failures that are like the last one, if that is one that a request can cause. */
function failedAlike(failed: readonly FailedAttempt[]): readonly FailedAttempt[] {
  const last = failed.at(-1);
  if (!last || !EVIDENCE[last.failure.outcome].mayBeRequest) return [];
  const signature = signatureOf(last.failure);
  return failed.filter(({ failure }) => signatureOf(failure) === signature);
}

function hostsOf(failed: readonly FailedAttempt[]): number {
  return new Set(failed.map(({ attempt }) => attempt.target.host)).size;
}

function signatureOf({ outcome, errorResponse }: AttemptFailure): string {
  return `${outcome} ${errorResponse?.signature ?? ''}`;
}
