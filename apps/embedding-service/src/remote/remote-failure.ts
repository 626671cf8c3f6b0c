import { AppError, type ErrorCode } from '@morgan/foundation';
import type { RefusalOutcome } from '@morgan/host-errors';
import { HttpClientError, statusInWords, type WholeResponse } from '@morgan/http-client';
import { refusalOf } from './remote-refusal.ts';

/** What this service itself has said of an answer. */
const OWN_CODES: readonly ErrorCode[] = [
  'host_error',
  'host_rejected_credentials',
  'vector_not_finite',
  'invalid_value',
  'request_loop',
];

/** Its own error, where this service has found that an answer is of no use; else the client's. */
export function ownErrorOf(error: unknown): unknown {
  return error instanceof HttpClientError && OWN_CODES.some((code) => code === error.code)
    ? error.cause
    : error;
}

/** Whether another host may do better. */
export function mayFailOver(error: unknown): boolean {
  if (error instanceof AppError) return error.code !== 'invalid_value';
  if (!(error instanceof HttpClientError)) return false;
  return error.category !== 'cancelled' && error.code !== 'deadline_exceeded';
}

/** The inputs are refused: by a host, for all hosts of the same model. */
export function inputsRefused(response: WholeResponse): AppError {
  return new AppError('invalid_value', `${response.serviceName} refused the inputs with ${said(response)}.`);
}

/** A refusal that no second attempt there changes, though its status is that of one that passes. */
export function finalRefusal(response: WholeResponse): AppError {
  // The status that it should have had: for another attempt its own would be a reason.
  const code = codeOf(response) ?? 'host_error';
  return new AppError(code, noVectors(answered(response)), { cause: { status: 400 } });
}

/**
 * The failure of a call by those of its hosts, of which the one counts that says most of what its caller can do: a fault of an
 * input, the earliest end of a limit, the last fault of a host that was asked, and only then that a host was not asked at all.
 */
export function failureOf(errors: readonly unknown[]): AppError {
  const weights = errors.map(weightOf);
  const most = errors.filter((_, index) => weights[index] === Math.max(...weights));
  const [soonest] = most.toSorted((one, other) => (waitOf(one) ?? NEVER) - (waitOf(other) ?? NEVER));
  return appErrorOf(weightOf(soonest) === WEIGHTS.fault ? most.at(-1) : soonest);
}

const NEVER = Number.MAX_SAFE_INTEGER;
const WEIGHTS = { call: 3, limit: 2, fault: 1, notAsked: 0 } as const;

function weightOf(error: unknown): number {
  if (!mayFailOver(error)) return WEIGHTS.call;
  if (!(error instanceof HttpClientError))
    return (error as AppError).code === 'vector_not_finite' ? WEIGHTS.call : WEIGHTS.fault;
  const { category, response } = error;
  if (response ? refusalOf(response).subject === 'limit' : category === 'rate_limited') return WEIGHTS.limit;
  return category === 'refused' ? WEIGHTS.notAsked : WEIGHTS.fault;
}

function waitOf(error: unknown): number | undefined {
  if (!(error instanceof HttpClientError)) return undefined;
  return error.response ? refusalOf(error.response).waitMs : error.retryAfterMs;
}

const CODE_OF_CATEGORY: Partial<Record<HttpClientError['category'], ErrorCode>> = {
  timeout: 'host_timeout',
  rate_limited: 'rate_limited',
  connection: 'no_host_available',
  refused: 'no_host_available',
  closed: 'no_host_available',
  cancelled: 'client_closed_request',
};

const CODE_OF_OUTCOME: Partial<Record<RefusalOutcome, ErrorCode>> = {
  credentials_rejected: 'host_rejected_credentials',
  quota_exhausted: 'host_rejected_credentials',
  rate_limited: 'rate_limited',
  overloaded: 'no_host_available',
  loading: 'no_host_available',
};

function appErrorOf(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (!(error instanceof HttpClientError))
    return new AppError('host_error', 'The embedding host could not be asked.', { cause: error });
  const { category, response } = error;
  const parts = { cause: error, retryAfterMs: waitOf(error) };
  if (error.code === 'deadline_exceeded')
    return new AppError('deadline_exceeded', 'The call was not over by its deadline.', parts);
  const code = (response && codeOf(response)) ?? CODE_OF_CATEGORY[category] ?? 'host_error';
  return new AppError(code, noVectors(response ? answered(response) : error.message), parts);
}

function codeOf(response: WholeResponse): ErrorCode | undefined {
  return (
    CODE_OF_OUTCOME[refusalOf(response).outcome] ??
    (response.status === 503 ? 'no_host_available' : undefined)
  );
}

function noVectors(reason: string): string {
  return `No embedding host gave vectors: ${reason}`;
}

function answered(response: WholeResponse): string {
  return `${response.serviceName} answered ${said(response)}.`;
}

/** A status, and the word by which the host calls the error. */
function said(response: WholeResponse): string {
  const { name } = refusalOf(response);
  const status = statusInWords(response);
  return name === undefined ? status : `${status} (${name})`;
}
