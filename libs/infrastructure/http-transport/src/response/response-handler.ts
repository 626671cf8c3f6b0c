import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { HttpTransportConfig } from '../http-transport.config.ts';
import { IncomingBody } from './incoming-body.ts';
import type { RequestCounts } from '../request-counts.ts';
import { transportFaultOf, isConnectionEnd, type Phase } from '../fault-classification.ts';
import type { TransportRequest } from '../request-sender.ts';
import type { ResponseController } from './response-controller.ts';
import { TransportError, type TransportFault } from '../transport-error.ts';
import { TransportResponse } from './transport-response.ts';
import { SLICE_BYTES, Upload } from '../upload.ts';

/** More responses of status 1xx before the response itself are none of a server: each of them costs as much as a response. */
const MOST_INTERIM = 1_000;

/** What a handler knows of the connection that it is sent over. */
export interface HandlerConnection {
  /** Whether a response came whole over the socket that it has now. */
  hasServed: boolean;
  readonly fault: Error | undefined;
  retire(): void;
}

/** What a handler asks of the pool that it is given to. */
export interface HandlerPool {
  readonly counts: RequestCounts;
  /** Connections that are made now. */
  readonly connected: number;
}

/** What a handler needs besides what its pool tells it. */
interface ResponseHandlerOptions {
  readonly request: TransportRequest;
  readonly config: Pick<HttpTransportConfig, 'readTimeoutMs' | 'poolTimeoutMs' | 'writeTimeoutMs'>;
  readonly pool: HandlerPool;
  readonly onResponse: (response: TransportResponse) => void;
  readonly onFault: (error: TransportError) => void;
}

/**
 * One request and its response: turns what happens on a connection into a response with a body, or into one fault. It reports once,
 * at the first sign; what is said later about the same request is dropped.
 */
export class ResponseHandler implements Dispatcher.DispatchHandler {
  readonly #options: ResponseHandlerOptions;
  #timer: NodeJS.Timeout;
  /** What the limit of the response was put off for a slow source of the request, in milliseconds. */
  #putOffMs = 0;
  readonly #onAbort = (): void => this.#fail('aborted', this.#options.request.signal?.reason);
  #controller: ResponseController | undefined;
  #body: IncomingBody | undefined;
  #phase: Phase | 'over' = 'queued';
  #connection: HandlerConnection | undefined;
  /** Sent over a connection that had served before, and not a byte of the response is here. */
  #mayBeStale = false;
  /** The end of the connection is that of the body, as HTTP/1.0 has it. */
  #lastsUntilClose = false;
  /** Responses of status 1xx so far. */
  #interim = 0;
  #poolTimer: NodeJS.Timeout | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  /** What is to be sent. */
  readonly body: Buffer | Upload | undefined;

  constructor(options: ResponseHandlerOptions) {
    this.#options = options;
    const { request, config, pool } = options;
    // Not undici's `headersTimeout`: that one starts when a connection is free and is up to a second late.
    this.#timer = setTimeout(this.#onLate, request.firstByteTimeoutMs ?? config.readTimeoutMs);
    request.signal?.addEventListener('abort', this.#onAbort);
    this.body = this.#upload(options);
    pool.counts.waiting += 1;
  }

  /** Nobody waits for it any more. */
  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /** Not to be sent over a kept connection. */
  get needsFresh(): boolean {
    return this.#options.request.freshConnection === true;
  }

  /** The longest silence within the body of the response, in milliseconds: 1 at least, as 0 would be no limit. */
  get idleTimeoutMs(): number {
    const { request, config } = this.#options;
    return Math.max(1, request.idleTimeoutMs ?? config.readTimeoutMs);
  }

  /** To be called once it is with its pool: limits the wait for a connection, if there is one. */
  limitWait(): void {
    const { request, config, pool } = this.#options;
    const { connectTimeoutMs } = request;
    const { poolTimeoutMs } = config;
    const isSent = this.#phase !== 'queued' && this.#phase !== 'connecting';
    if (connectTimeoutMs !== undefined && !isSent)
      this.#connectTimer = setTimeout(() => {
        this.#fail(this.#isCrowdedOut ? 'pool_timeout' : 'connect_timeout');
      }, connectTimeoutMs);
    if (this.#phase !== 'queued' || poolTimeoutMs === null) return;
    this.#poolTimer = setTimeout(() => {
      // Where not one connection could be made yet, it is not others that keep them busy.
      this.#fail(pool.connected === 0 ? 'connect_timeout' : 'pool_timeout');
    }, poolTimeoutMs);
  }

  /** A connection, made or still to be made, is this request's own from now on. */
  onConnection(connection: HandlerConnection): void {
    this.#connection = connection;
    if (this.#phase === 'queued') this.#phase = 'connecting';
    clearTimeout(this.#poolTimer);
  }

  /** undici's word for {@link onSending}. Throwing keeps the connection, which its controller would close. */
  onRequestStart(controller: ResponseController): void {
    if (!this.onSending(controller)) throw new TransportError('aborted', true);
  }

  /** Its turn has come. @returns false where it is over, and nothing may be sent. */
  onSending(controller: ResponseController): boolean {
    if (this.#phase === 'over') return false;
    this.#controller = controller;
    // An HTTP/2 request that the server says it did not begin is sent once more.
    if (this.#phase !== 'sent') {
      this.#options.pool.counts.waiting -= 1;
      this.#options.pool.counts.running += 1;
    }
    this.#phase = 'sent';
    clearTimeout(this.#connectTimer);
    this.#mayBeStale = this.#connection?.hasServed === true;
    return true;
  }

  onResponseStarted(): void {
    this.#mayBeStale = false;
  }

  /** undici's word for {@link onHead}. */
  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    // HTTP/2 has an object here, the same as `headers`.
    const { rawHeaders: raw } = controller;
    const rawHeaders = Array.isArray(raw) ? raw.map((part) => part.toString('latin1')) : undefined;
    // The bytes would keep the piece of the connection that they came with as long as the body, which may be a stream.
    controller.rawHeaders = null;
    this.onHead(controller, status, headers, rawHeaders);
  }

  /** Status and headers are here. @param rawHeaders as they came, where there are such. */
  onHead(
    controller: ResponseController,
    status: number,
    headers: IncomingHttpHeaders,
    rawHeaders: string[] | undefined,
  ): void {
    if (this.#phase === 'over') return;
    if (status < 200) return this.#passInterim();
    clearTimeout(this.#timer);
    this.#phase = 'responding';
    this.#lastsUntilClose =
      headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
    if (this.body instanceof Upload) this.body.unwatch();
    this.#body = new IncomingBody(controller, () => this.#abandon());
    this.#options.onResponse(new TransportResponse(status, headers, rawHeaders, this.#body));
  }

  /** Hints and signs of life, of which nobody needs many. */
  #passInterim(): void {
    this.#interim += 1;
    if (this.#interim > MOST_INTERIM) this.#fail('bad_response');
  }

  onResponseData(controller: ResponseController, chunk: Buffer): void {
    if (this.#body?.push(chunk) === false) controller.pause();
  }

  onResponseEnd(): void {
    // undici takes a reset for the end of a body that lasts until its connection closes; nobody knows whether it was whole.
    const fault = this.#lastsUntilClose ? this.#connection?.fault : undefined;
    if (fault && this.#phase !== 'over') return this.#fail('incomplete_body', fault);
    if (this.#connection) this.#connection.hasServed = true;
    this.#settle();
    this.#body?.end();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#phase === 'over') return;
    const first = (this.#phase === 'sent' && this.#connection?.fault) || error;
    this.#fail(transportFaultOf(first, this.#phase), first);
  }

  #upload({ request, config }: ResponseHandlerOptions): Buffer | Upload | undefined {
    const { body } = request;
    const { writeTimeoutMs } = config;
    // Bytes that fit into one slice need no watching: the kernel takes them.
    if (!body || (Buffer.isBuffer(body) && (writeTimeoutMs === null || body.length <= SLICE_BYTES)))
      return body;
    return new Upload(body, {
      writeTimeoutMs,
      onStall: () => this.#expire('write_timeout'),
      onSourceFault: (error) => this.#fail('upload_failed', error),
    });
  }

  /** Where our own event loop stood still, the response may be here and only not be heard of yet: that is looked at first. */
  readonly #onLate = (): void =>
    void setImmediate(() => {
      if (this.#phase === 'responding' || this.#phase === 'over' || this.#putOff()) return;
      if (this.#isCrowdedOut) this.#fail('pool_timeout');
      else this.#expire('first_byte_timeout');
    });

  /** The other side cannot respond to what has not come: whoever sends it slowly is not its fault. */
  #putOff(): boolean {
    const waitedMs = this.body instanceof Upload ? this.body.waitedMs : 0;
    const leftMs = Math.floor(waitedMs - this.#putOffMs);
    if (leftMs < 1) return false;
    this.#putOffMs += leftMs;
    this.#timer = setTimeout(this.#onLate, leftMs);
    return true;
  }

  /** Others keep every connection busy: the other side has not been asked. */
  get #isCrowdedOut(): boolean {
    return this.#phase === 'queued' && this.#options.pool.connected > 0;
  }

  #expire(reason: 'first_byte_timeout' | 'write_timeout'): void {
    if (this.#phase === 'sent') this.#connection?.retire();
    this.#fail(reason);
  }

  #fail(reason: TransportFault, cause?: unknown): void {
    if (this.#phase === 'over') return;
    this.#options.pool.counts.failed(reason);
    const stale = reason === 'reset' && this.#mayBeStale && isConnectionEnd(cause);
    const isQueued = this.#isCrowdedOut;
    const error = new TransportError(reason, this.#phase !== 'responding', cause, { stale, isQueued });
    this.#settle();
    this.#controller?.abort(error);
    if (!this.#body) this.#options.onFault(error);
    else this.#body.fail(this.#options.request.bodyFault?.(error) ?? error);
  }

  /** The reader does not want the rest. */
  #abandon(): void {
    if (this.#phase === 'over') return;
    this.#settle();
    this.#controller?.abort(new TransportError('aborted', false));
  }

  #settle(): void {
    const { counts } = this.#options.pool;
    if (this.#phase === 'sent' || this.#phase === 'responding') counts.running -= 1;
    else if (this.#phase !== 'over') counts.waiting -= 1;
    this.#phase = 'over';
    counts.settled();
    clearTimeout(this.#timer);
    clearTimeout(this.#poolTimer);
    clearTimeout(this.#connectTimer);
    if (this.body instanceof Upload) this.body.destroy();
    this.#options.request.signal?.removeEventListener('abort', this.#onAbort);
  }
}
