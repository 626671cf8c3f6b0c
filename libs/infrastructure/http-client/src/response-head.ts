import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** What is known of a response once its headers are here. */
export interface ResponseHead {
  readonly status: number;
  /** Of a response whose body is an error that stands for `status`: the good one that it came with. */
  readonly sentStatus?: number | undefined;
  /** Names in lower case; a repeated header is a list. */
  readonly headers: IncomingHttpHeaders;
  /** The configured name of the service that answered. */
  readonly serviceName: string;
  /** How many requests it took, the answered one included. */
  readonly attempt: number;
}

/** A whole response. */
export interface WholeResponse extends ResponseHead {
  /** Without a compression that the service chose unasked, and otherwise as it came: not decoded. */
  readonly body: Buffer;
  /** The body as UTF-8. */
  text(): string;
  /** The body as JSON; its shape is for the caller to check. @throws HttpClientError `invalid_response` if it is none. */
  json<T = unknown>(): T;
}

/** A response whose body is still coming. The body must be read to its end or destroyed, or its connection is held for ever. */
export interface StreamingResponse extends ResponseHead {
  /** Breaks with an `HttpClientError`. */
  readonly body: Readable;
}
