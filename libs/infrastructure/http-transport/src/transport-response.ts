import type { IncomingHttpHeaders } from 'node:http';
import type { ResponseBody } from './response-body.ts';

/** A response whose headers are here and whose body is on its way. */
export class TransportResponse {
  readonly #rawHeaders: readonly Buffer[] | undefined;

  constructor(
    readonly status: number,
    /** Names in lower case; a repeated header is a list. */
    readonly headers: IncomingHttpHeaders,
    rawHeaders: readonly Buffer[] | undefined,
    readonly body: ResponseBody,
  ) {
    this.#rawHeaders = rawHeaders;
  }

  /** Names and values in turn, exactly as received: spelling, order and repetition kept. With HTTP/2 as `headers`. */
  get rawHeaders(): string[] {
    if (this.#rawHeaders) return this.#rawHeaders.map((part) => part.toString('latin1'));
    return Object.entries(this.headers).flatMap(([name, values]) =>
      [values ?? []].flat().flatMap((value) => [name, value]),
    );
  }

  /** The whole body, see {@link ResponseBody.bytes}. Rejects with a {@link TransportError}. */
  bytes(limitBytes?: number): Promise<Buffer> {
    return this.body.bytes(limitBytes);
  }

  /** Gives the response up: its connection goes back to the pool if all of it is here already, else it is closed. */
  discard(): void {
    this.body.destroy();
  }
}
