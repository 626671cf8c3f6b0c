import type { ErrorCode } from '../errors/error-codes.ts';
import type { ErrorKind } from '../errors/error-kind.ts';
import type { FaultTraits } from './fault.ts';

const row = (
  category: FaultTraits['category'],
  verdict: FaultTraits['verdict'],
  more: Partial<FaultTraits> = {},
): FaultTraits => ({ category, verdict, retryable: false, sent: true, overloaded: false, ...more });

const NOT_CONNECTED = row('connection', 'failure', { retryable: true, sent: false });
const CONNECT_TIMEOUT = row('timeout', 'failure', { retryable: true, sent: false, overloaded: true });
const BROKEN = row('connection', 'failure', { retryable: true });
const TIMEOUT = row('timeout', 'failure', { retryable: true, overloaded: true });
const CANCELLED = row('cancelled', 'ignored');

/** By the word that an error carries: the `reason` of a transport, or the `code` or `name` that Node and undici give. */
export const FAULT_OF_WORD = {
  connect_refused: NOT_CONNECTED,
  connect_failed: NOT_CONNECTED,
  dns_failed: NOT_CONNECTED,
  connect_timeout: CONNECT_TIMEOUT,
  // This process has no file descriptor left.
  out_of_sockets: row('connection', 'ignored', { retryable: true, sent: false }),
  // All connections that this process allows itself are in use.
  pool_timeout: row('timeout', 'ignored', { retryable: true, sent: false }),
  // A certificate that is refused now is refused in a second, too.
  tls_failed: row('connection', 'failure'),
  write_timeout: TIMEOUT,
  first_byte_timeout: TIMEOUT,
  body_timeout: TIMEOUT,
  reset: BROKEN,
  incomplete_body: BROKEN,
  bad_response: row('protocol', 'failure', { retryable: true }),
  too_large: row('protocol', 'ignored'),
  // The caller's own source of the body broke.
  upload_failed: row('invalid_request', 'ignored'),
  invalid_request: row('invalid_request', 'ignored', { sent: false }),
  aborted: CANCELLED,
  closed: row('closed', 'ignored'),
  ECONNREFUSED: NOT_CONNECTED,
  ENOTFOUND: NOT_CONNECTED,
  EAI_AGAIN: NOT_CONNECTED,
  EHOSTUNREACH: NOT_CONNECTED,
  ENETUNREACH: NOT_CONNECTED,
  UND_ERR_CONNECT_TIMEOUT: CONNECT_TIMEOUT,
  ETIMEDOUT: TIMEOUT,
  UND_ERR_HEADERS_TIMEOUT: TIMEOUT,
  UND_ERR_BODY_TIMEOUT: TIMEOUT,
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
  UND_ERR_SOCKET: BROKEN,
  TimeoutError: TIMEOUT,
  AbortError: CANCELLED,
} as const satisfies Record<string, FaultTraits>;

/** A word that an error may carry, for a fault of known meaning. */
export type FaultWord = keyof typeof FAULT_OF_WORD;

/** By the kind of an `AppError` that has no known fault as its cause. */
export const FAULT_OF_KIND: Readonly<Record<ErrorKind, FaultTraits>> = {
  invalid_request: row('invalid_request', 'ignored'),
  unauthenticated: row('client_error', 'ignored'),
  forbidden: row('client_error', 'ignored'),
  not_found: row('client_error', 'ignored'),
  method_not_allowed: row('client_error', 'ignored'),
  upgrade_required: row('client_error', 'ignored'),
  request_timeout: row('client_error', 'ignored'),
  expectation_failed: row('client_error', 'ignored'),
  headers_too_large: row('invalid_request', 'ignored'),
  too_large: row('invalid_request', 'ignored'),
  unsupported_media_type: row('client_error', 'ignored'),
  rate_limited: row('rate_limited', 'ignored', { retryable: true, overloaded: true }),
  overloaded: row('refused', 'ignored', { retryable: true, overloaded: true }),
  unavailable: row('refused', 'failure', { retryable: true }),
  upstream_failed: row('server_error', 'failure', { retryable: true }),
  timeout: TIMEOUT,
  cancelled: CANCELLED,
  internal: row('unknown', 'ignored'),
};

/** Codes that say more than their kind. */
export const FAULT_OF_CODE: Readonly<Partial<Record<ErrorCode, FaultTraits>>> = {
  circuit_open: row('refused', 'ignored', { retryable: true, sent: false }),
  deadline_exceeded: { ...TIMEOUT, retryable: false },
  host_rejected_credentials: row('client_error', 'failure'),
};

/** An error that nothing is known of: repeating it may be unsafe, and the host may well have caused it. */
export const UNKNOWN_FAULT = row('unknown', 'failure');

/** What an HTTP status stands for. With one below 400 the fault is in the rest of the response, not in the status. */
export function faultOfStatus(status: number): FaultTraits {
  if (status < 400) return row('protocol', 'success');
  if (status === 408) return row('timeout', 'failure', { retryable: true });
  if (status === 425) return row('server_error', 'failure', { retryable: true });
  if (status === 429) return row('rate_limited', 'failure', { retryable: true, overloaded: true });
  if (status < 500) return row('client_error', 'success');
  return row('server_error', 'failure', { retryable: true, overloaded: status === 503 || status === 529 });
}
