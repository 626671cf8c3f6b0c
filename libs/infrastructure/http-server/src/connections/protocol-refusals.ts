import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { AppError, type ErrorCode, type HttpObserver } from '@morgan/foundation';
import type { ErrorBody, ErrorReader } from '../error-body.ts';
import type { Exchange } from './pipelining.ts';
import { type RequestIdHeaders, requestIdOf } from '../request-id.ts';
import { OTHER_VERSION } from './request-head.ts';
import { endWithGrace } from './unread-body.ts';

/** What Node reports of a connection on which it could not read a request. */
type ConnectionFault = Error & { readonly code?: string; readonly rawPacket?: unknown };

/** Node's fault code -> ours and what the client is told; any other one is a malformed request. */
const FAULTS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive completely in time.'],
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'Request line and headers are larger than 16 KiB.'],
  HPE_INVALID_VERSION: ['malformed_request', OTHER_VERSION],
  HPE_PAUSED_H2_UPGRADE: ['malformed_request', OTHER_VERSION],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['request_too_large', 'The chunk extensions are larger than 16 KiB.'],
};

/** More of a request line is not looked at. */
const LONGEST_LINE = 1_024;

const MALFORMED = ['malformed_request', 'The request is not valid HTTP.'] as const;

/** What refusals below the routes are made with. */
interface ProtocolRefusalOptions {
  readonly observers: readonly HttpObserver[];
  /** Headers of every response of this service. */
  readonly headers: Readonly<Record<string, string>>;
  readonly errorBody: ErrorBody;
  readonly requestIdHeaders: RequestIdHeaders;
  /** The most that is read of a connection after its refusal. */
  readonly maxBytesAfter: number;
  /** The exchange that a connection began last. */
  readonly latest: (socket: Socket) => (Exchange & { readonly waiting: boolean }) | undefined;
}

/**
 * Refuses what cannot reach a route, in the same words as everything else: the envelope of its path, a request id, one report to
 * the observers. Where a request is under way on the connection, its own handling fails and answers.
 */
export class ProtocolRefusals {
  /** The bytes that a refused connection may have read in all. */
  readonly #refused = new WeakMap<Socket, number>();

  constructor(private readonly options: ProtocolRefusalOptions) {}

  /** Refuses a request that was read but that no route may see. */
  respond(request: IncomingMessage, response: ServerResponse, error: AppError): void {
    const id = requestIdOf(request);
    const startedAt = performance.now();
    for (const observer of this.options.observers) observer.started();
    response.once('close', () => this.#report(error, id, { method: request.method, startedAt }));
    this.#write({ request, response }, error, id);
  }

  /** Refuses a connection on which Node could not read a request, or not the rest of one. */
  onConnectionFault(fault: ConnectionFault, socket: Socket): void {
    if (socket.destroyed || fault.code === 'ECONNRESET') return;
    // The client has ended the connection within a request: it left, and what is under way is aborted.
    if (fault.code === 'HPE_INVALID_EOF_STATE') return void socket.destroy();
    const limit = this.#refused.get(socket);
    if (limit !== undefined) {
      if (socket.bytesRead > limit) socket.destroy();
      return;
    }
    this.#refused.set(socket, socket.bytesRead + this.options.maxBytesAfter);
    const [code, message] = FAULTS[fault.code ?? ''] ?? MALFORMED;
    const error = new AppError(code, message);
    const latest = this.options.latest(socket);
    if (!latest || latest.response.writableFinished)
      this.refuseConnection(socket, error, { path: pathIn(fault.rawPacket) });
    else this.#fail(latest, error);
  }

  /** Answers on the bare connection and closes it. */
  refuseConnection(
    socket: Socket,
    error: AppError,
    { method, path = '' }: { readonly method?: string | undefined; readonly path?: string | undefined },
  ): void {
    // The response to a broken rest of an upload has left already.
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const id = randomUUID();
    for (const observer of this.options.observers) observer.started();
    const reader = { url: path, headers: {} };
    const body = JSON.stringify(this.options.errorBody(error, reader));
    const headers = { ...this.#headers(id, body, reader), connection: 'close' };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${lines.join('')}\r\n${body}`);
    endWithGrace(socket);
    this.#report(error, id, { method, startedAt: performance.now() });
  }

  /** Notes that a connection has sent too many requests ahead. There is no response: those under way come before it. */
  tellSentAhead(): void {
    const error = new AppError('malformed_request', 'Too many requests were sent ahead on one connection.');
    for (const observer of this.options.observers) observer.started();
    this.#report(error, randomUUID(), { method: undefined, startedAt: performance.now() });
  }

  /** Whoever reads the request's body learns that it is broken, and answers; where nobody does, this does. */
  #fail({ request, response, waiting }: Exchange & { readonly waiting: boolean }, error: AppError): void {
    const { socket } = request;
    response.shouldKeepAlive = false;
    if (request.complete) {
      // Its response is on the way, or waits for those before it; what follows it is not read.
      socket.pause();
      response.once('close', () => socket.destroySoon());
    } else if (waiting || response.headersSent) {
      socket.destroy();
    } else if (request.listenerCount('error') > 0) {
      request.emit('error', error);
    } else {
      this.#write({ request, response }, error, requestIdOf(request));
    }
  }

  #write({ request, response }: Exchange, error: AppError, id: string): void {
    const { url = '', headers } = request;
    const reader = { url, headers };
    const body = JSON.stringify(this.options.errorBody(error, reader));
    response.writeHead(error.status, this.#headers(id, body, reader)).end(body);
  }

  #headers(id: string, body: string, { url, headers }: ErrorReader): Record<string, string> {
    const names = this.options.requestIdHeaders(url, headers);
    return {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      ...Object.fromEntries(names.map((name) => [name, id])),
      ...this.options.headers,
    };
  }

  #report(
    error: AppError,
    requestId: string,
    about: { method: string | undefined; startedAt: number },
  ): void {
    for (const observer of this.options.observers)
      observer.finished({
        requestId,
        method: about.method ?? 'unknown',
        route: 'unmatched',
        status: error.status,
        durationMs: performance.now() - about.startedAt,
        errorCode: error.code,
        aborted: false,
        notes: {},
      });
  }
}

/** The path of a request that could not be read, if its line can. */
function pathIn(received: unknown): string | undefined {
  if (!Buffer.isBuffer(received)) return undefined;
  return /^[A-Z]+ (\/\S*) HTTP\//.exec(received.toString('latin1', 0, LONGEST_LINE))?.[1];
}
