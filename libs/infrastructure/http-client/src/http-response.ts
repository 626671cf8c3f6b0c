import type { IncomingHttpHeaders } from 'node:http';
import type { ResponseHead, WholeResponse } from './response-head.ts';
import { HttpClientError } from './http-client-error.ts';

/** A whole response below 400, or the one that an error is about. */
export class HttpResponse implements WholeResponse {
  readonly status: number;
  readonly sentStatus: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly serviceName: string;
  readonly attempt: number;

  constructor(
    head: ResponseHead,
    readonly body: Buffer,
  ) {
    this.status = head.status;
    this.sentStatus = head.sentStatus;
    this.headers = head.headers;
    this.serviceName = head.serviceName;
    this.attempt = head.attempt;
  }

  text(): string {
    return this.body.toString('utf8');
  }

  /** The body as JSON, with or without a byte order mark. @throws HttpClientError `invalid_response` */
  json<T = unknown>(): T {
    try {
      return JSON.parse(this.text().replace(/^\uFEFF/, '')) as T;
    } catch {
      // Without its cause: the parser's message quotes the text.
      const { serviceName, attempt } = this;
      throw new HttpClientError(`The response of ${serviceName} is not JSON.`, {
        category: 'protocol',
        code: 'invalid_response',
        serviceName,
        attempt,
        retryable: false,
        response: this,
      });
    }
  }
}
