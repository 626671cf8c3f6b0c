import { AppError } from '@morgan/foundation';
import { EVIDENCE } from '../evidence/evidence-table.ts';
import { type Outcome, PASSING } from '../evidence/outcome.ts';
import { mayFit } from '../routing/fitting-target.ts';
import type { Route } from '../routing/route-table.ts';
import type { Target } from '../routing/target.ts';
import { restOf } from '../routing/target-selector.ts';
import type { Attempt } from '../attempt/attempt.ts';
import type { CallRequest } from '../attempt/attempt-request.ts';
import type { AttemptFailure } from '../attempt/attempt-result.ts';
import type { FailedAttempt } from './blame.ts';
import { noTargetToTry, targetsFailed } from './call-error.ts';
import type { ErrorResponse } from '../response/error-response.ts';
import { type HostResponse, responseOfError } from './host-response.ts';
import { unservable } from './unservable.ts';

/** A call that has nothing to hand out. */
interface EndedCall {
  readonly request: CallRequest;
  readonly route: Route;
  readonly attempts: readonly Attempt[];
  readonly failed: readonly FailedAttempt[];
}

/** What is known of a target that gave no response to hand out: from an attempt, or from the rest that it is in. */
interface Finding {
  readonly target: Target;
  readonly outcome: Outcome;
  readonly errorResponse: ErrorResponse | undefined;
  readonly cause?: unknown;
  /** When it is asked again, in milliseconds from now, where the host said so. */
  readonly retryAfterMs: number | undefined;
}

/** The order in which outcomes are told, the most useful first: what the caller can mend, what passes, "not found" last. */
const ORDER: readonly Outcome[] = [
  'context_too_long',
  'unsupported_by_model',
  'loading',
  'rate_limited',
  'overloaded',
  'limited',
  'server_error',
  'error_in_answer',
  'timeout',
  'stalled',
  'outrun',
  'reset',
  'cut',
  'empty',
  'bad_response',
  'wrong_type',
  'html',
  'redirect',
  'saturated',
  'connect_error',
  'conflict',
  'quota_exhausted',
  'credentials_rejected',
  'model_not_found',
  'path_not_found',
];

/**
 * What the caller of a failed call gets: the most useful refusal of a host, with the earliest time at which any of the targets is
 * asked again.
 * @throws AppError in the gateway's own words where no host said anything, or only that it refuses our key, and where no
 * target can serve such a request.
 */
export function responseOfFailedCall(call: EndedCall): HostResponse {
  const { attempts, route, request } = call;
  const fault = attempts.length === 0 ? unservable(route, request.facts) : undefined;
  if (fault) throw fault;
  const findings = heard([...fromRests(call), ...fromAttempts(call)], request.facts.model);
  const best = bestFinding(findings);
  if (!best) throw noTargetToTry(targetsOf(route).length, nextTrialMs(call));
  const { target, outcome, errorResponse, cause } = best;
  const retryAfterMs = PASSING.has(outcome) ? earliestMs(findings) : undefined;
  if (errorResponse && outcome !== 'credentials_rejected')
    return responseOfError(errorResponse, retryAfterMs, { ...call, target });
  throw targetsFailed(attempts.length, { host: target.host.name, outcome, cause, retryAfterMs });
}

function fromAttempts({ failed }: EndedCall): Finding[] {
  return failed.map(({ attempt, failure }) => ({
    target: attempt.target,
    outcome: failure.outcome,
    errorResponse: failure.errorResponse,
    cause: failure.cause,
    retryAfterMs: attempt.target.host.rests.bounded(failure.saidMs) ?? freeAfterMs(failure),
  }));
}

/** When a limit of ours lets the next call through. */
function freeAfterMs({ outcome, cause }: AttemptFailure): number | undefined {
  return outcome === 'limited' && cause instanceof AppError ? cause.retryAfterMs : undefined;
}

/** The targets that were not asked because they rest. */
function fromRests({ route, request, attempts }: EndedCall): Finding[] {
  const asked = new Set(attempts.map(({ target }) => target));
  return targetsOf(route).flatMap((target) => {
    if (asked.has(target) || !target.host.takesPart || !target.canServe(request.facts)) return [];
    const rest = restOf(target, request.facts);
    if (!rest) return [];
    const { outcome, errorResponse, binding, until } = rest;
    return [
      { target, outcome, errorResponse, retryAfterMs: binding ? until - performance.now() : undefined },
    ];
  });
}

/** Which of the findings the caller hears of; the latest of equals. A verdict about the request ends all. */
function bestFinding(findings: readonly Finding[]): Finding | undefined {
  const last = findings.at(-1);
  if (last && EVIDENCE[last.outcome].next === 'return') return last;
  let best: Finding | undefined;
  let bestRank = Infinity;
  for (const finding of findings) {
    const rank = ORDER.indexOf(finding.outcome);
    if (rank <= bestRank) [best, bestRank] = [finding, rank];
  }
  return best;
}

/** What is too long for a target that stood in for a larger one may be good there: then what became of that one counts. */
function heard(findings: readonly Finding[], asked: string | undefined): readonly Finding[] {
  const tooLong = findings.find(({ outcome }) => outcome === 'context_too_long');
  if (!tooLong) return findings;
  const unfit = { ...tooLong, error: tooLong.errorResponse?.error };
  const mayServe = ({ target, outcome }: Finding) =>
    (PASSING.has(outcome) || EVIDENCE[outcome].weight === 'fault') && mayFit(target, unfit, asked);
  return findings.some(mayServe) ? findings.filter(({ outcome }) => outcome !== tooLong.outcome) : findings;
}

/** When the first of the targets that pass by themselves is asked again. */
function earliestMs(findings: readonly Finding[]): number | undefined {
  let earliest: number | undefined;
  for (const { outcome, retryAfterMs } of findings) {
    if (retryAfterMs === undefined || !PASSING.has(outcome)) continue;
    earliest = Math.min(earliest ?? Infinity, retryAfterMs);
  }
  return earliest;
}

/** When callers may come back while one call tries whether a host is well again: how long that takes is not known. */
const RETRY_AFTER_MS = 1_000;

/** When the first open circuit lets a call try. None: no host that could serve it takes part. */
function nextTrialMs({ route, request }: EndedCall): number | undefined {
  const waits = targetsOf(route)
    .filter((target) => target.host.takesPart && target.canServe(request.facts))
    .map(({ host }) => {
      const circuit = host.policies.breaker.getStatus();
      return circuit.state === 'OPEN' ? circuit.retryAfterMs : undefined;
    });
  return waits.length === 0 ? undefined : Math.min(...waits.map((ms) => ms ?? RETRY_AFTER_MS));
}

function targetsOf({ tiers }: Route): Target[] {
  return tiers.flatMap(({ targets }) => targets);
}
