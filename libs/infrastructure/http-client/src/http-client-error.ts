import {
  AppError,
  classifyFault,
  type ErrorCode,
  FAULT_CATEGORIES,
  type FaultCategory,
  faultOfStatus,
  retryAfterMs,
} from '@morgan/foundation';
import { TransportError, type TransportFault } from '@morgan/http-transport';
import type { WholeResponse } from './response-head.ts';
import { UnsendableRequest } from './request-builder.ts';

/** Categories of faults that a call can end with: a closed set, and a metric label. */
export type HttpErrorCategory = Exclude<FaultCategory, 'unknown'>;

/** All of them, for metrics. */
export const HTTP_ERROR_CATEGORIES = FAULT_CATEGORIES.filter((category) => category !== 'unknown');

/** A stable word for exactly what happened: a fault of the transport, a code of a policy, or `http_` and the status. */
export type HttpErrorCode = TransportFault | ErrorCode | 'invalid_response' | `http_${number}`;

/** What an {@link HttpClientError} is made of. */
interface HttpClientErrorParts {
  readonly category: HttpErrorCategory;
  readonly code: HttpErrorCode;
  /** The configured name of the service that was called. */
  readonly serviceName: string;
  /** How many requests had been sent, or tried to be, when it was given up. */
  readonly attempt: number;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly response?: WholeResponse | undefined;
  readonly cause?: unknown;
}

/** A call that failed for good. The message names no address and no content: it may be logged. */
export class HttpClientError extends Error {
  override readonly name = 'HttpClientError';
  readonly category: HttpErrorCategory;
  readonly code: HttpErrorCode;
  readonly serviceName: string;
  readonly attempt: number;
  /** Whether the same call could go better another time. */
  readonly retryable: boolean;
  /** How long to wait before that, in milliseconds, where somebody said so. */
  readonly retryAfterMs: number | undefined;
  /** The status of the response, where there was one. */
  readonly status: number | undefined;
  readonly #response: WholeResponse | undefined;

  constructor(message: string, parts: HttpClientErrorParts) {
    super(message, { cause: parts.cause });
    this.category = parts.category;
    this.code = parts.code;
    this.serviceName = parts.serviceName;
    this.attempt = parts.attempt;
    this.retryable = parts.retryable;
    this.retryAfterMs = parts.retryAfterMs;
    this.status = parts.response?.status;
    this.#response = parts.response;
  }

  /** The response of a `client_error`, `server_error` or other status; no property, so that no log prints its content. */
  get response(): WholeResponse | undefined {
    return this.#response;
  }
}

/** Where and when a call failed. */
interface FailedCall {
  readonly serviceName: string;
  readonly attempt: number;
}

/** A response that counts as a failure. */
export function statusError(response: WholeResponse, call: FailedCall): HttpClientError {
  const { status, headers } = response;
  const { category, retryable } = faultOfStatus(status);
  return new HttpClientError(`${call.serviceName} answered ${statusInWords(response)}.`, {
    ...call,
    category: named(category),
    code: `http_${status}`,
    retryable,
    retryAfterMs: retryable ? retryAfterMs(headers) : undefined,
    response,
  });
}

/** The status of a response, and with which one it came where it is that of an error within. */
export function statusInWords({ status, sentStatus }: WholeResponse): string {
  return sentStatus === undefined ? `${status}` : `${sentStatus} with an error of ${status}`;
}

/** Whatever a policy or the transport raised, as the one error that callers meet. */
export function callError(error: unknown, call: FailedCall): HttpClientError {
  if (error instanceof HttpClientError) return error;
  // The client was stopped while a policy waited.
  const isClosed = error instanceof AppError && classifyFault(error.cause).category === 'closed';
  const fault = isClosed ? error.cause : error;
  const { category, retryable } = classifyFault(fault);
  const parts = { ...call, category: named(category), retryable, cause: fault };
  if (fault instanceof TransportError)
    return new HttpClientError(fault.message, { ...parts, code: fault.reason });
  if (fault instanceof AppError) {
    const { code, message, retryAfterMs: waitMs } = fault;
    return new HttpClientError(message, { ...parts, code, retryAfterMs: waitMs });
  }
  const message = fault instanceof UnsendableRequest ? fault.message : 'The call could not be made.';
  return new HttpClientError(message, { ...parts, code: 'invalid_request' });
}

/** What nothing is known of is a request that could not even be made. */
function named(category: FaultCategory): HttpErrorCategory {
  return category === 'unknown' ? 'invalid_request' : category;
}

/** The client was stopped before the call was made. */
export function closedError(serviceName: string): HttpClientError {
  return callError(new TransportError('closed', true), { serviceName, attempt: 0 });
}
