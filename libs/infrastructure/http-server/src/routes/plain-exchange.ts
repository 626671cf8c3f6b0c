import type { IncomingHttpHeaders } from 'node:http';
import { finished, Readable } from 'node:stream';
import type { OutgoingResponse } from '@morgan/foundation';
import type { AdmittedBody } from '../admission/admitted-body.ts';
import type { ErrorResponder } from '../error-responder.ts';
import type { HttpReply, HttpRequest, IncomingRequest } from '../http-exchange.ts';
import type { RequestContext } from '../request-context.ts';
import { requestIdOf } from '../request-id.ts';

/** A request that came past Fastify. */
export class PlainRequest implements HttpRequest {
  readonly id: string;
  readonly is404 = false;
  body: unknown = undefined;
  admittedBody: AdmittedBody | undefined = undefined;
  declare requestContext: RequestContext;

  constructor(
    readonly raw: IncomingRequest,
    readonly routeOptions: HttpRequest['routeOptions'],
    readonly params: HttpRequest['params'],
    readonly server: HttpRequest['server'],
  ) {
    this.id = requestIdOf(raw);
  }

  get method(): string {
    return this.raw.method ?? '';
  }

  get url(): string {
    return this.raw.url ?? '';
  }

  get headers(): IncomingHttpHeaders {
    return this.raw.headers;
  }
}

/** The response to one, sent as Fastify would send it. */
export class PlainReply implements HttpReply {
  readonly #headers: Record<string, string | number> = {};
  #isTaken = false;

  constructor(
    readonly raw: OutgoingResponse,
    readonly request: PlainRequest,
    private readonly errors: ErrorResponder,
  ) {}

  header(name: string, value: string | number): this {
    this.#headers[name.toLowerCase()] = value;
    return this;
  }

  headers(headers: Readonly<Record<string, string | number>>): this {
    for (const name of Object.keys(headers)) this.header(name, headers[name] as string | number);
    return this;
  }

  getHeaders(): Readonly<Record<string, string | number>> {
    return this.#headers;
  }

  status(code: number): this {
    this.raw.statusCode = code;
    return this;
  }

  type(contentType: string): this {
    return this.header('content-type', contentType);
  }

  hijack(): this {
    this.#isTaken = true;
    return this;
  }

  send(body?: unknown): this {
    if (this.#isTaken) return this;
    if (body instanceof Readable) this.#pipe(body);
    else this.#end(this.#encode(body));
    this.request.server.stalledReaders.watchUnlessTaken(this.raw, this.request.requestContext.id);
    return this;
  }

  /** Says what went wrong, or breaks off what is being sent. */
  fail(fault: unknown): void {
    this.errors.respond(fault, this.request, this);
  }

  #encode(body: unknown): string | Buffer {
    if (Buffer.isBuffer(body)) {
      this.#headers['content-type'] ??= 'application/octet-stream';
      return body;
    }
    const type = this.#headers['content-type'];
    if (typeof body !== 'string') {
      this.#headers['content-type'] ??= 'application/json; charset=utf-8';
      return body === undefined ? '' : JSON.stringify(body);
    }
    if (type === undefined) this.type('text/plain; charset=utf-8');
    else if (type === 'application/json') this.type('application/json; charset=utf-8');
    return body;
  }

  #end(body: string | Buffer): void {
    this.#isTaken = true;
    const bytes = Buffer.byteLength(body);
    this.#headers['content-length'] = bytes;
    this.raw.writeHead(this.raw.statusCode, this.#headers);
    // A text of as many bytes as characters is ASCII, which leaves faster where nothing is looked for that would not be.
    if (typeof body === 'string') this.raw.end(body, bytes === body.length ? 'latin1' : 'utf8');
    else this.raw.end(body);
  }

  #pipe(body: Readable): void {
    this.#isTaken = true;
    const { raw } = this;
    finished(body, { writable: false }, (error) => {
      if (!error) return;
      if (raw.headersSent || raw.destroyed) return void raw.destroy();
      this.#isTaken = false;
      this.fail(error);
    });
    raw.once('close', () => body.destroy());
    // The head leaves with the first piece: until then a fault is still an error of its own.
    for (const name of Object.keys(this.#headers))
      raw.setHeader(name, this.#headers[name] as string | number);
    body.pipe(raw);
  }
}
