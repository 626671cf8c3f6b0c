import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { HttpClientError } from './http-client-error.ts';

/** What is known of an answer once its headers are here. */
export interface AnswerHead {
  readonly status: number;
  /** Names in lower case; a repeated header is a list. */
  readonly headers: IncomingHttpHeaders;
  /** The configured name of the service that answered. */
  readonly host: string;
  /** How many requests it took, the answered one included. */
  readonly attempt: number;
}

/** A whole answer. */
export class HttpResponse implements AnswerHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly host: string;
  readonly attempt: number;

  constructor(
    head: AnswerHead,
    /** As it came: not decompressed, not decoded. */
    readonly body: Buffer,
  ) {
    this.status = head.status;
    this.headers = head.headers;
    this.host = head.host;
    this.attempt = head.attempt;
  }

  /** The body as UTF-8. */
  text(): string {
    return this.body.toString('utf8');
  }

  /** The body as JSON; its shape is for the caller to check. @throws HttpClientError `invalid_answer` if it is none. */
  json<T = unknown>(): T {
    try {
      return JSON.parse(this.text()) as T;
    } catch {
      // Without its cause: the parser's message quotes the text.
      const { host, attempt } = this;
      throw new HttpClientError(`The answer of ${host} is not JSON.`, {
        category: 'protocol',
        code: 'invalid_answer',
        host,
        attempt,
        retryable: false,
        response: this,
      });
    }
  }
}

/** An answer whose body is still coming. The body must be read to its end or destroyed, or its connection is held for ever. */
export interface StreamingResponse extends AnswerHead {
  /** Breaks with an `HttpClientError`. */
  readonly body: Readable;
}
