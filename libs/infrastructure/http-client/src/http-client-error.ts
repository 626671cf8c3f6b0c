import { AppError, type ErrorCode } from '@morgan/foundation';
import { TransportError, type TransportFault } from '@morgan/http-transport';
import { classifyFault, isTransient, retryAfterMs } from '@morgan/retry';
import type { WholeAnswer } from './answer.ts';
import { UnsendableRequest } from './request-builder.ts';

/** What went wrong, sorted by what can be done about it. A closed set: it is a metric label. */
export const HTTP_ERROR_CATEGORIES = [
  /** The host answered 4xx, other than those below: this request is wrong. */
  'client_error',
  /** The host answered 5xx or 425. */
  'server_error',
  /** The host answered 429, or this client's own rate limit is reached. */
  'rate_limited',
  /** A time limit was over, or the host answered 408. */
  'timeout',
  /** No connection, or one that broke. */
  'connection',
  /** An answer came, and it is not HTTP, not the JSON that was asked for, or too large. */
  'protocol',
  /** This client did not send it: the circuit is open, or too many calls are going on. */
  'refused',
  /** The request can never be sent as it is. */
  'invalid_request',
  /** The caller gave it up. */
  'cancelled',
  /** This client was stopped. */
  'closed',
] as const;

export type HttpErrorCategory = (typeof HTTP_ERROR_CATEGORIES)[number];

/** A stable word for exactly what happened: a fault of the transport, a code of a policy, or `http_` and the status. */
export type HttpErrorCode = TransportFault | ErrorCode | 'invalid_answer' | `http_${number}`;

/** What an {@link HttpClientError} is made of. */
export interface HttpClientErrorParts {
  readonly category: HttpErrorCategory;
  readonly code: HttpErrorCode;
  /** The configured name of the service that was called. */
  readonly host: string;
  /** How many requests had been sent, or tried to be, when it was given up. */
  readonly attempt: number;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly response?: WholeAnswer | undefined;
  readonly cause?: unknown;
}

/** A call that failed for good. The message names no address and no content: it may be logged. */
export class HttpClientError extends Error {
  override readonly name = 'HttpClientError';
  readonly category: HttpErrorCategory;
  readonly code: HttpErrorCode;
  readonly host: string;
  readonly attempt: number;
  /** Whether the same call could go better another time. */
  readonly retryable: boolean;
  /** How long to wait before that, in milliseconds, where somebody said so. */
  readonly retryAfterMs: number | undefined;
  /** The status of the answer, where there was one. */
  readonly status: number | undefined;
  readonly #response: WholeAnswer | undefined;

  constructor(message: string, parts: HttpClientErrorParts) {
    super(message, { cause: parts.cause });
    this.category = parts.category;
    this.code = parts.code;
    this.host = parts.host;
    this.attempt = parts.attempt;
    this.retryable = parts.retryable;
    this.retryAfterMs = parts.retryAfterMs;
    this.status = parts.response?.status;
    this.#response = parts.response;
  }

  /** The answer of a `client_error`, `server_error` or other status; no property, so that no log prints its content. */
  get response(): WholeAnswer | undefined {
    return this.#response;
  }
}

/** Where and when a call failed. */
export interface FailedCall {
  readonly host: string;
  readonly attempt: number;
}

const CATEGORY_OF_FAULT: Readonly<Record<TransportFault, HttpErrorCategory>> = {
  connect_refused: 'connection',
  dns_failed: 'connection',
  connect_timeout: 'timeout',
  tls_failed: 'connection',
  connect_failed: 'connection',
  pool_timeout: 'timeout',
  write_timeout: 'timeout',
  upload_failed: 'invalid_request',
  first_byte_timeout: 'timeout',
  body_timeout: 'timeout',
  reset: 'connection',
  incomplete_body: 'connection',
  bad_response: 'protocol',
  too_large: 'protocol',
  aborted: 'cancelled',
  closed: 'closed',
  invalid_request: 'invalid_request',
};

/** The kinds of the errors that this client's own policies raise. */
const CATEGORY_OF_KIND: Readonly<Partial<Record<AppError['kind'], HttpErrorCategory>>> = {
  timeout: 'timeout',
  rate_limited: 'rate_limited',
  too_large: 'invalid_request',
  cancelled: 'cancelled',
};

/** An answer that counts as a failure. */
export function statusError(response: WholeAnswer, call: FailedCall): HttpClientError {
  const { status, headers } = response;
  const retryable = isTransient({ kind: 'status', status, sent: true });
  return new HttpClientError(`${call.host} answered ${status}.`, {
    ...call,
    category: categoryOfStatus(status),
    code: `http_${status}`,
    retryable,
    retryAfterMs: retryable ? retryAfterMs(headers) : undefined,
    response,
  });
}

function categoryOfStatus(status: number): HttpErrorCategory {
  if (status === 408) return 'timeout';
  if (status === 429) return 'rate_limited';
  return status >= 500 || status === 425 ? 'server_error' : 'client_error';
}

/** Whatever a policy or the transport raised, as the one error that callers meet. */
export function callError(error: unknown, call: FailedCall): HttpClientError {
  if (error instanceof HttpClientError) return error;
  const retryable = isTransient(classifyFault(error));
  if (error instanceof TransportError) {
    const { reason, message } = error;
    const category = CATEGORY_OF_FAULT[reason];
    return new HttpClientError(message, { ...call, category, code: reason, retryable, cause: error });
  }
  if (error instanceof AppError) {
    // The client was stopped while a policy waited.
    if (error.cause instanceof TransportError && error.cause.reason === 'closed')
      return callError(error.cause, call);
    const { code, kind, message, retryAfterMs: waitMs } = error;
    const category = CATEGORY_OF_KIND[kind] ?? 'refused';
    const parts = { ...call, category, code, retryable, retryAfterMs: waitMs, cause: error };
    return new HttpClientError(message, parts);
  }
  const message = error instanceof UnsendableRequest ? error.message : 'The call could not be made.';
  const parts = {
    ...call,
    category: 'invalid_request',
    code: 'invalid_request',
    retryable,
    cause: error,
  } as const;
  return new HttpClientError(message, parts);
}

/** The client was stopped before the call was made. */
export function closedError(host: string): HttpClientError {
  return callError(new TransportError('closed', true), { host, attempt: 0 });
}
