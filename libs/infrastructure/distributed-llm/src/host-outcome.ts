import type { Verdict } from '@morgan/foundation';
import type { TransportFault } from '@morgan/http-transport';

/** Why a host gave no usable answer. Each of these sends the call to the next host. */
export type HostFault =
  | 'connect_error'
  /** All connections that it may have are in use. */
  | 'saturated'
  /** Nothing within the first-byte limit. */
  | 'timeout'
  /** The connection ended before the answer began. */
  | 'reset'
  /** Not HTTP, or a redirect: a host that answers so is not set up. */
  | 'bad_response'
  /** 5xx, and the two 4xx that say "not now": 408 and 425. */
  | 'server_error';

/** How one try at one host ended: the closed set behind the metric label `outcome`. */
export type HostOutcome =
  | 'ok'
  /** 4xx other than those below: the caller's fault, not the host's. */
  | 'client_error'
  | 'rate_limited'
  /** 401 or 403: the host refuses the gateway's key. */
  | 'credentials_rejected'
  | HostFault
  /** The host broke off after the first byte. */
  | 'interrupted'
  /** The caller's deadline passed. */
  | 'expired'
  /** The caller went away, or this process stops. */
  | 'aborted';

/**
 * What an outcome says of the host, for its breaker and its health. A full host (429) is no broken one, and a deadline
 * is as short as its caller made it: neither may take the host away from everybody else.
 */
export const VERDICT_OF: Readonly<Record<HostOutcome, Verdict>> = {
  ok: 'success',
  client_error: 'success',
  credentials_rejected: 'success',
  rate_limited: 'ignored',
  saturated: 'ignored',
  expired: 'ignored',
  aborted: 'ignored',
  connect_error: 'failure',
  timeout: 'failure',
  reset: 'failure',
  bad_response: 'failure',
  server_error: 'failure',
  interrupted: 'failure',
};

/** The host's part in a fault of the transport; none where the request never was the host's. */
export const FAULT_OF: Readonly<Record<TransportFault, HostFault | undefined>> = {
  connect_refused: 'connect_error',
  dns_failed: 'connect_error',
  connect_timeout: 'connect_error',
  tls_failed: 'connect_error',
  connect_failed: 'connect_error',
  pool_timeout: 'saturated',
  write_timeout: 'timeout',
  upload_failed: undefined,
  first_byte_timeout: 'timeout',
  body_timeout: 'timeout',
  reset: 'reset',
  incomplete_body: 'reset',
  bad_response: 'bad_response',
  too_large: undefined,
  aborted: undefined,
  closed: undefined,
  invalid_request: undefined,
};

/** How a try ends whose answer has this status and comes to its end. */
export type AnswerOutcome =
  'ok' | 'client_error' | 'rate_limited' | 'credentials_rejected' | 'bad_response' | 'server_error';

/** Sorts an answer by its status. */
export function outcomeOfStatus(status: number): AnswerOutcome {
  if (status >= 500 || status === 408 || status === 425) return 'server_error';
  if (status === 429) return 'rate_limited';
  if (status === 401 || status === 403) return 'credentials_rejected';
  if (status >= 400) return 'client_error';
  return status >= 300 ? 'bad_response' : 'ok';
}
