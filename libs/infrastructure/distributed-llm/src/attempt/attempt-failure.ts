import { AppError, type ErrorCode } from '@morgan/foundation';
import {
  askedRestMs,
  outcomeOfRefusal,
  ownWordsIn,
  refusalOfInput,
  type ReportedError,
  statusWithin,
} from '@morgan/host-errors';
import { TransportError, type TransportResponse } from '@morgan/http-transport';
import { StreamFault } from '@morgan/llm-protocol';
import type { Outcome } from '../evidence/outcome.ts';
import { OUTCOME_OF_FAULT } from '../evidence/transport-outcome.ts';
import type { Host } from '../hosts/host.ts';
import { type CallRequest, hasStreamOptions } from './attempt-request.ts';
import type { AttemptFailure, AttemptResult } from './attempt-result.ts';
import { ErrorResponse } from '../response/error-response.ts';

/** A status for an error that stood in a 200 and named none. */
const BAD_GATEWAY = 502;
const USAGE_OPTION = /stream_options|include_usage/;

/** What the policies around an attempt refuse it with. */
const OF_POLICIES: ReadonlySet<ErrorCode> = new Set([
  'circuit_open',
  'rate_limited',
  'cost_above_limit',
  'rate_limiter_unavailable',
  'bulkhead_full',
]);

/** Reads and sorts a response with an error status. */
export async function readRefusal(
  response: TransportResponse,
  host: Host,
  { dialect, body, method, path }: CallRequest,
): Promise<AttemptFailure> {
  const { status, headers } = response;
  const errorResponse = await ErrorResponse.read(response, host, dialect);
  const saidMs = askedRestMs(status, headers, errorResponse.error);
  const refusal = {
    status,
    error: errorResponse.error,
    isJson: errorResponse.isJson,
    saysWhen: saidMs !== undefined,
    request: body,
  };
  const outcome = outcomeOfRefusal(refusal);
  // Where a redirect leads to is nothing that a caller should follow.
  if (outcome === 'redirect') return { kind: 'failed', outcome };
  if (outcome !== 'path_not_found') return { kind: 'failed', outcome, errorResponse, saidMs };
  // Without its query, and without the step that leads beside a base URL.
  const named = errorResponse.naming(method, path.replace(/^\/\.\.|\?.*/g, ''), dialect);
  return { kind: 'failed', outcome, errorResponse: named, saidMs };
}

/** Whether a host refuses the count of tokens that we ask for: then it is never asked for that again. */
export function refusesUsageOption(call: CallRequest, host: Host, result: AttemptResult): boolean {
  const errorResponse = result.kind === 'failed' ? result.errorResponse : undefined;
  const isAsked = call.asksUsage && host.takesUsageOption && !hasStreamOptions(call);
  if (!isAsked || !errorResponse || !USAGE_OPTION.test(ownWordsIn(errorResponse.error?.message ?? '')))
    return false;
  host.takesUsageOption = false;
  return true;
}

/** Sorts an error object that stood in a response with a good status. */
export function readErrorInResponse(
  response: TransportResponse,
  said: { readonly error: ReportedError; readonly host: Host; readonly call: CallRequest },
): AttemptFailure {
  const { error, host, call } = said;
  const { dialect, body: request } = call;
  const status = statusWithin(error, request);
  const errorResponse = ErrorResponse.within(response, status ?? BAD_GATEWAY, { error, host, dialect });
  if (status === undefined) return { kind: 'failed', outcome: 'error_in_answer', errorResponse };
  const saidMs = askedRestMs(status, response.headers, error);
  const refusal = { status, error, isJson: true, saysWhen: saidMs !== undefined, request };
  return { kind: 'failed', outcome: outcomeOfRefusal(refusal), errorResponse, saidMs };
}

/** What it is when no response came, or when one broke off. */
export function outcomeOfNoResponse(cause: unknown, hasContent: boolean): Outcome {
  if (cause instanceof AppError) return outcomeOfAppError(cause, hasContent);
  // What broke the connection says more: a deadline and a caller who leaves do so as well.
  if (cause instanceof StreamFault) {
    if (cause.cause !== undefined) return outcomeOfNoResponse(cause.cause, hasContent);
    return (cause.reported && refusalOfInput(cause.reported)) ?? 'interrupted';
  }
  if (!(cause instanceof TransportError)) return hasContent ? 'aborted' : 'unsendable';
  // Only what a deadline says as its reason is told apart from a caller who leaves.
  if (cause.reason === 'aborted' && cause.cause instanceof AppError)
    return outcomeOfAppError(cause.cause, hasContent);
  return hasContent && cause.reason !== 'aborted' ? 'interrupted' : OUTCOME_OF_FAULT[cause.reason];
}

/** What a host says may be more than can be read, such as a JSON that is nested too deep: then that is what is wrong with it. */
export function unreadable(cause: unknown): unknown {
  const isKnown =
    cause instanceof TransportError || cause instanceof StreamFault || cause instanceof AppError;
  return isKnown ? cause : new TransportError('bad_response', false, cause);
}

/** Whether the request still waited for one of our connections when it ended: then the host has not seen it. */
export function isQueued(cause: unknown): boolean {
  return cause instanceof TransportError && cause.isQueued;
}

/** The host had closed a kept connection before it saw the request. */
export function isStale(cause: unknown): boolean {
  return cause instanceof TransportError && cause.stale;
}

function outcomeOfAppError({ code, cause }: AppError, hasContent: boolean): Outcome {
  if (code === 'deadline_exceeded') return 'expired';
  if (code === 'client_closed_request') return 'aborted';
  if (code === 'stream_interrupted') return 'interrupted';
  if (OF_POLICIES.has(code)) return 'limited';
  return cause instanceof TransportError ? outcomeOfNoResponse(cause, hasContent) : 'unsendable';
}
