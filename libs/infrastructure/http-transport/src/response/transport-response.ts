import type { IncomingHttpHeaders } from 'node:http';
import type { BodyFlow, BodySink, BodySource } from './body-flow.ts';
import { decodedBody, decodersOf } from './decoded-body.ts';
import type { IncomingBody } from './incoming-body.ts';
import type { ResponseBody } from './response-body.ts';
import type { TransportError } from '../transport-error.ts';

const OF_ENCODING = /^content-(encoding|length)$/i;
/** Of these a response has one: where proxies have added another, the first counts, as in Node's own client. */
const SINGLE = ['content-type', 'content-encoding'] as const;

/** A response whose headers are here and whose body is on its way. */
export class TransportResponse implements BodySource {
  readonly #rawHeaders: string[] | undefined;
  readonly #incoming: IncomingBody;
  /** Names in lower case; a repeated header is a list, but for its type and its encoding. */
  readonly headers: IncomingHttpHeaders;

  constructor(
    readonly status: number,
    headers: IncomingHttpHeaders,
    rawHeaders: string[] | undefined,
    incoming: IncomingBody,
  ) {
    this.headers = withSingles(headers);
    this.#rawHeaders = rawHeaders;
    this.#incoming = incoming;
  }

  /** The body as a stream. It must be read to its end or destroyed, as must a response without one that is not discarded. */
  get body(): ResponseBody {
    return this.#incoming.stream;
  }

  /** The body for a reader that needs no stream, in place of {@link body}. */
  into(sink: BodySink): BodyFlow {
    return this.#incoming.into(sink);
  }

  /** Names and values in turn, exactly as received: spelling, order and repetition kept. With HTTP/2 as `headers`. */
  get rawHeaders(): string[] {
    if (this.#rawHeaders) return this.#rawHeaders;
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

  /**
   * The same without its `content-encoding`, which some servers choose though they were asked for none; itself where it
   * has none, or one that is not known.
   * @param asFault what the reader meets where the bytes are not what they say.
   */
  decoded(asFault: (error: TransportError) => Error = (error) => error): TransportResponse {
    const decoders = decodersOf(this.headers['content-encoding']);
    if (decoders.length === 0) return this;
    const headers = { ...this.headers };
    for (const name of Object.keys(headers)) if (OF_ENCODING.test(name)) delete headers[name];
    const raw = this.#rawHeaders?.filter((_, at, all) => !OF_ENCODING.test(all[at - (at % 2)] as string));
    const body = decoders.reduce(
      (source, decoder) => decodedBody(source.stream, decoder, asFault),
      this.#incoming,
    );
    return new TransportResponse(this.status, headers, raw, body);
  }

  /** Gives the response up: its connection goes back to the pool if all of it is here already, else it is closed. */
  discard(): void {
    this.#incoming.discard();
  }
}

function withSingles(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  let single = headers;
  for (const name of SINGLE) {
    const value: unknown = headers[name];
    if (Array.isArray(value)) single = { ...single, [name]: value[0] as string };
  }
  return single;
}
