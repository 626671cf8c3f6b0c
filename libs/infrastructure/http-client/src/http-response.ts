import type { IncomingHttpHeaders } from 'node:http';
import type { AnswerHead, WholeAnswer } from './answer.ts';
import { HttpClientError } from './http-client-error.ts';

/** A whole answer below 400, or the one that an error is about. */
export class HttpResponse implements WholeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly host: string;
  readonly attempt: number;

  constructor(
    head: AnswerHead,
    readonly body: Buffer,
  ) {
    this.status = head.status;
    this.headers = head.headers;
    this.host = head.host;
    this.attempt = head.attempt;
  }

  text(): string {
    return this.body.toString('utf8');
  }

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
