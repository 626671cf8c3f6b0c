import type { IncomingHttpHeaders } from 'node:http';
import type { IncomingBody } from './incoming-body.ts';
import type { ResponseBody } from './response-body.ts';

/** A response whose headers are here and whose body is on its way. */
export class TransportResponse {
  readonly #rawHeaders: readonly Buffer[] | undefined;
  readonly #incoming: IncomingBody;

  constructor(
    readonly status: number,
    /** Names in lower case; a repeated header is a list. */
    readonly headers: IncomingHttpHeaders,
    rawHeaders: readonly Buffer[] | undefined,
    incoming: IncomingBody,
  ) {
    this.#rawHeaders = rawHeaders;
    this.#incoming = incoming;
  }

  /** The body as a stream. It must be read to its end or destroyed, as must a response without one that is not discarded. */
  get body(): ResponseBody {
    return this.#incoming.stream;
  }

  /** Names and values in turn, exactly as received: spelling, order and repetition kept. With HTTP/2 as `headers`. */
  get rawHeaders(): string[] {
    if (this.#rawHeaders) return this.#rawHeaders.map((part) => part.toString('latin1'));
    return Object.entries(this.headers).flatMap(([name, values]) =>
      [values ?? []].flat().flatMap((value) => [name, value]),
    );
  }

  /** The whole body, see {@link ResponseBody.bytes}: cheaper than by way of the stream. Rejects with its fault. */
  bytes(limitBytes?: number): Promise<Buffer> {
    return this.#incoming.bytes(limitBytes);
  }

  /**
   * The whole body, if it has no more bytes than that; else nothing, and {@link body} gives all of it. Rejects with its
   * fault, or with `first_byte_timeout` where it takes longer than that.
   */
  bytesUpTo(limitBytes: number, timeoutMs?: number): Promise<Buffer | undefined> {
    return this.#incoming.upTo(limitBytes, timeoutMs);
  }

  /** Gives the response up: its connection goes back to the pool if all of it is here already, else it is closed. */
  discard(): void {
    this.#incoming.discard();
  }
}
