import type { FaultWord } from '@morgan/foundation';

/** What went wrong between this process and the server, as a closed set. */
export type TransportFault =
  /** Nobody listens on that port. */
  | 'connect_refused'
  /** The name does not resolve. */
  | 'dns_failed'
  /** Name, TCP and TLS took too long; or this request's wait for a place ended before there was one connection. */
  | 'connect_timeout'
  /** No TLS session: a certificate that one side does not trust or does not show, or no TLS on that port at all. */
  | 'tls_failed'
  /** This process may open no more sockets, or has no memory for one: the other side was not asked. */
  | 'out_of_sockets'
  /** No connection for another reason: no route, no free local port. */
  | 'connect_failed'
  /** No connection became free in the time for that, or for the response. Nothing was sent. */
  | 'pool_timeout'
  /** The other side stopped taking the request body. */
  | 'write_timeout'
  /** The source of a streamed request body failed, or gave not the bytes that `content-length` announced. */
  | 'upload_failed'
  /** No response began within the limit. */
  | 'first_byte_timeout'
  /** The response began, then fell silent for longer than the limit. */
  | 'body_timeout'
  /** The connection ended before the response began. */
  | 'reset'
  /** The connection ended in the middle of the body. */
  | 'incomplete_body'
  /** What came is not HTTP. */
  | 'bad_response'
  /** The body is larger than its reader takes. */
  | 'too_large'
  /** The caller's signal was aborted, or the caller destroyed the body. */
  | 'aborted'
  /** This transport is closed. */
  | 'closed'
  /** The request itself cannot be sent: an origin or a header that HTTP does not allow. Nothing left this process. */
  | 'invalid_request';

/** Every fault is in the table of faults, too. */
const MESSAGES = {
  connect_refused: 'The connection was refused.',
  dns_failed: 'The host name could not be resolved.',
  connect_timeout: 'No connection was made in time.',
  tls_failed: 'No TLS session could be made.',
  connect_failed: 'No connection could be made.',
  out_of_sockets: 'This process can open no further connection.',
  pool_timeout: 'No connection became free in time.',
  write_timeout: 'The other side stopped reading the request.',
  upload_failed: 'The request body could not be read.',
  first_byte_timeout: 'The response did not begin in time.',
  body_timeout: 'The response fell silent.',
  reset: 'The connection ended before the response began.',
  incomplete_body: 'The connection ended in the middle of the response.',
  bad_response: 'The response is not valid HTTP.',
  too_large: 'The response is too large.',
  aborted: 'The request was aborted.',
  closed: 'The transport is closed.',
  invalid_request: 'The request is not valid HTTP.',
} as const satisfies Record<TransportFault & FaultWord, string>;

/** What else is known of a fault. */
interface FaultMarks {
  readonly stale: boolean;
  readonly isQueued: boolean;
}

/** A request that got no whole response. The message names no address and no content; `cause` has the original fault. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  /**
   * Whether the connection had served a response before and ended before one byte of this one came. As a rule the server
   * closed it for having been idle while the request was on its way, unseen. A server that dies at its work looks the same.
   */
  readonly stale: boolean;
  /** Whether it still waited for a connection, as others kept all of them busy: the other side was not asked. */
  readonly isQueued: boolean;

  /** @param beforeResponse whether it happened before the status line and headers of a response were there. */
  constructor(
    readonly reason: TransportFault,
    readonly beforeResponse: boolean,
    cause?: unknown,
    { stale, isQueued }: FaultMarks = { stale: false, isQueued: false },
  ) {
    super(MESSAGES[reason], { cause });
    this.stale = stale;
    this.isQueued = isQueued;
  }
}
