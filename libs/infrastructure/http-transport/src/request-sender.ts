import type { TransportError } from './transport-error.ts';
import type { TransportResponse } from './response/transport-response.ts';
import type { RequestBody } from './upload.ts';

/** One HTTP request. Nothing is added to it but `host`, `connection` and `content-length`. */
export interface TransportRequest {
  /** Scheme, host and port, such as `http://10.0.0.1:8000`. Each one met gets a pool of its own, for good. */
  readonly origin: string;
  /** Path and query, starting with a slash. */
  readonly path: string;
  readonly method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Names and values in turn. */
  readonly headers?: string[];
  /**
   * Sent byte for byte. A stream goes out as it comes, chunked unless `headers` name a `content-length`; it is
   * destroyed when the request ends before it, and read once, so such a request cannot be repeated.
   */
  readonly body?: RequestBody | undefined;
  /** Aborting it closes the connection at once, before or during the response. */
  readonly signal?: AbortSignal | undefined;
  /** From the call of `request` to its leaving over a connection; what connections are made with is a limit besides. Default: none. */
  readonly connectTimeoutMs?: number | undefined;
  /** From the call of `request` to the headers of the response: the wait for a connection counts, the one for a streamed body does
   * not. Default: `readTimeoutMs`. */
  readonly firstByteTimeoutMs?: number | undefined;
  /**
   * The longest silence within the body. Coarse: up to a second late. Time in which the reader is slow does not count.
   * Default: `readTimeoutMs`.
   */
  readonly idleTimeoutMs?: number | undefined;
  /** Not over a kept connection: for what was lost on a {@link TransportError.stale} one, as others may be so as well. */
  readonly freshConnection?: boolean | undefined;
  /** What the reader of the body meets instead of the {@link TransportError}. */
  readonly bodyFault?: (error: TransportError) => Error;
}

/** What can send a request and get its response: a bare transport, or one with policies around it. */
export interface RequestSender {
  /** Resolves when the headers of the response are here, whatever its status; later faults come out of its body. */
  request(request: TransportRequest): Promise<TransportResponse>;
}
