import type { Socket } from 'node:net';
import { type buildConnector, errors } from 'undici';
import type { Place } from '../connect/name-addresses.ts';
import type { HandlerConnection } from '../response/response-handler.ts';
import { Upload } from '../upload.ts';
import type { Exchange } from './exchange.ts';
import { readBeforeFault } from './read-before-fault.ts';
import type { ResponseHead } from './response-head.ts';
import { ResponseParser, type ResponseSink } from './response-parser.ts';
import { sendUpload } from './send-upload.ts';

/** Up to this size head and body are one piece: to copy so much costs less than to write two. */
const JOINED_BYTES = 16 * 1024;
/** What one read of a socket takes at most, in bytes: after one that is full there is more. */
const FULL_READ_BYTES = 64 * 1024;

/** Whom a connection belongs to. */
export interface ConnectionOwner {
  onConnected(connection: Http1Connection): void;
  /** The connection may serve the next request. */
  onFree(connection: Http1Connection): void;
  /** There is no connection any more, and its place is free. */
  onGone(connection: Http1Connection): void;
}

/** One connection that speaks HTTP/1.1, with one request at a time, or the room for one that is being made. */
export class Http1Connection implements HandlerConnection, ResponseSink {
  hasServed = false;
  /** The first fault of the socket: a TLS alert comes before the end of the connection that follows from it. */
  fault: Error | undefined;
  /** Since when it is connected, and since when it had no request, by `performance.now()`. */
  connectedAt = 0;
  idleSince = 0;
  /** How long the server says that it keeps an idle connection, in milliseconds. */
  keptForMs: number | undefined;
  /** Cuts its socket, also while that is being made. */
  readonly making = new AbortController();
  #socket: Socket | undefined;
  #exchange: Exchange | undefined;
  #parser: ResponseParser | undefined;
  #isSending = false;
  #isPaused = false;
  /** How often bytes came. */
  #reads = 0;
  /** For silence within a body. */
  #silence: NodeJS.Timeout | undefined;

  /** @param place which address it is meant for. */
  constructor(
    private readonly owner: ConnectionOwner,
    readonly place: Place,
  ) {}

  get hasSocket(): boolean {
    return this.#socket !== undefined;
  }

  /** The socket is made, and not cut. */
  get isConnected(): boolean {
    return this.#socket !== undefined && !this.#socket.destroyed;
  }

  /** Makes the connection for a request, which has the fault where that fails. */
  connect(connector: buildConnector.connector, target: buildConnector.Options, exchange: Exchange): void {
    exchange.handler.onConnection(this);
    this.#exchange = exchange;
    connector(target, (error, socket) => {
      if (socket) return this.#connected(socket);
      this.fail(error);
      this.owner.onGone(this);
    });
  }

  /** Sends a request, unless it is over by now; then it is free again. */
  begin(exchange: Exchange): void {
    const { handler, outgoing } = exchange;
    handler.onConnection(this);
    this.#exchange = undefined;
    if (!handler.onSending(exchange)) return this.owner.onFree(this);
    exchange.begin(this);
    this.#exchange = exchange;
    this.#parser = new ResponseParser(this, outgoing.isHead);
    this.#socket?.ref();
    this.#send(exchange);
  }

  /** Nothing was asked of it, and its process need not stay for it. */
  rest(): void {
    this.idleSince = performance.now();
    this.#socket?.unref();
  }

  /** A dead connection loses its requests anyhow, and has one only. */
  retire(): void {}

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    // Time in which the reader is slow does not count.
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#limitSilence();
    this.#socket?.resume();
  }

  /** Cuts it; whoever is under way on it has been told. */
  destroy(): void {
    this.#release();
    this.#socket?.destroy();
  }

  /** Cuts it, and tells whoever is under way on it. */
  fail(error: Error): void {
    const exchange = this.#exchange;
    this.destroy();
    exchange?.handler.onResponseError(exchange, error);
  }

  onHead({ status, headers, rawHeaders }: ResponseHead): void {
    const exchange = this.#exchange;
    exchange?.handler.onHead(exchange, status, headers, rawHeaders);
  }

  onBody(bytes: Buffer): void {
    const exchange = this.#exchange;
    exchange?.handler.onResponseData(exchange, bytes);
  }

  #connected(socket: Socket): void {
    this.#socket = socket;
    this.connectedAt = performance.now();
    readBeforeFault(socket);
    socket
      .on('error', (error) => this.#broken(error))
      .on('data', (bytes: Buffer) => this.#take(bytes))
      .on('end', () => this.#ended())
      .on('close', () => this.#closed());
    this.owner.onConnected(this);
    if (this.#exchange) this.begin(this.#exchange);
    else socket.destroy();
  }

  #send({ outgoing: { head, body } }: Exchange): void {
    const socket = this.#socket as Socket;
    if (body instanceof Upload) {
      this.#isSending = true;
      void sendUpload(socket, head, body).then(
        () => (this.#isSending = false),
        (error: Error) => this.#uploadFailed(body, error),
      );
      return;
    }
    if (!body) return void socket.write(head.text, 'latin1');
    if (body.length <= JOINED_BYTES) return void socket.write(joined(head.text, body));
    socket.cork();
    socket.write(head.text, 'latin1');
    socket.write(body);
    socket.uncork();
  }

  #uploadFailed(body: Upload, error: Error): void {
    if (this.#exchange?.outgoing.body === body) this.fail(error);
  }

  #take(bytes: Buffer): void {
    const parser = this.#parser;
    // Nobody has asked for these: whatever they are, the next response would be mistaken.
    if (!parser) return this.destroy();
    this.#reads += 1;
    if (!parser.head) this.#exchange?.handler.onResponseStarted();
    let taken: number;
    try {
      taken = parser.push(bytes);
    } catch (error) {
      return this.fail(error as Error);
    }
    if (parser !== this.#parser) return;
    if (parser.isWhole) this.#finish(parser, taken < bytes.length);
    else if (this.#silence) this.#silence.refresh();
    else if (parser.head && !this.#isPaused) this.#limitSilence();
    if (bytes.length >= FULL_READ_BYTES && !this.#isPaused) this.#giveTurn();
  }

  /** What is there would be read 32 times in a row, and whatever is done with it as often, while nobody else has a turn. */
  #giveTurn(): void {
    const socket = this.#socket as Socket;
    socket.pause();
    setImmediate(() => this.#isPaused || socket.resume());
  }

  /** @param isTooMuch there are bytes behind the response. */
  #finish({ head }: ResponseParser, isTooMuch: boolean): void {
    const exchange = this.#exchange as Exchange;
    const socket = this.#socket as Socket;
    // What is still to be written stands in front of the next request, and a server that has answered may never read it.
    const isUnread = this.#isSending || socket.writableLength > 0;
    const isKept = head?.isKept === true && !exchange.outgoing.head.isLast && !isTooMuch && !isUnread;
    this.keptForMs = head?.keptForMs;
    this.#release();
    if (!isKept || socket.destroyed) socket.destroy();
    exchange.handler.onResponseEnd();
    if (!socket.destroyed) this.owner.onFree(this);
  }

  /** The other side says no more. */
  #ended(): void {
    const parser = this.#parser;
    if (parser?.finish()) this.#finish(parser, false);
    else this.fail(new errors.SocketError('other side closed'));
  }

  #broken(error: Error): void {
    this.fault ??= error;
    this.fail(error);
  }

  #closed(): void {
    this.fail(new errors.SocketError('closed'));
    this.owner.onGone(this);
  }

  #limitSilence(): void {
    const ms = this.#exchange?.outgoing.idleTimeoutMs;
    if (ms === undefined || !this.#parser?.head) return;
    const timer = setTimeout(() => {
      const reads = this.#reads;
      // Where our own event loop stood still, the bytes may be here and only not be heard of yet: that is looked at first.
      setImmediate(() => {
        if (this.#silence === timer && this.#reads === reads) this.fail(new errors.BodyTimeoutError());
      });
    }, ms);
    this.#silence = timer;
  }

  /** The request that it had is none of its any more. */
  #release(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#exchange?.end();
    this.#exchange = undefined;
    this.#parser = undefined;
    if (this.#isPaused) this.#socket?.resume();
    this.#isPaused = false;
  }
}

function joined(head: string, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 'latin1');
  bytes.set(body, head.length);
  return bytes;
}
