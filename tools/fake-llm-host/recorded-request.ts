import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/** One request as the host received it, and what became of its client. Times are `performance.now()`. */
export class RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The body, byte for byte. */
  readonly body: Buffer;
  readonly receivedAt = performance.now();
  readonly #response: ServerResponse;
  /** When the connection ended before the response did; a fault of the host that cuts it counts as well. */
  #abortedAt: number | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, body: Buffer) {
    this.method = request.method ?? '';
    this.path = request.url ?? '';
    this.headers = request.headers;
    this.body = body;
    this.#response = response;
    response.once('close', () => {
      if (!response.writableFinished) this.#abortedAt = performance.now();
    });
  }

  /** The body as JSON. @throws SyntaxError when it is none. */
  get json(): unknown {
    return JSON.parse(this.body.toString()) as unknown;
  }

  get aborted(): boolean {
    return this.#abortedAt !== undefined;
  }

  /** Resolves with the time at which the client went away. @throws Error when it took the whole response instead. */
  async whenAborted(): Promise<number> {
    const response = this.#response;
    if (!response.closed) await new Promise((resolve) => response.once('close', resolve));
    if (this.#abortedAt === undefined) throw new Error('the client stayed for the whole answer');
    return this.#abortedAt;
  }
}
