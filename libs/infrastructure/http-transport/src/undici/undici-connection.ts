import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type buildConnector, Client, type Dispatcher } from 'undici';
import type { Place } from '../connect/name-addresses.ts';
import type { ResponseHandler, HandlerConnection } from '../response/response-handler.ts';
import { passOverContinue } from './continue-response.ts';
import { repairHttp2Streams } from './http2-streams.ts';

/** What a pool gives to its connections. */
export interface ConnectionOptions {
  readonly client: Client.Options;
  /** @param signal cuts what is being made */
  readonly connectorFor: (signal: AbortSignal) => buildConnector.connector;
  /** Which address it is meant for. */
  readonly place: Place;
  /** Which of the pool's places it is, counted from 1. */
  readonly position: number;
  /** The age at which a connection without a request is replaced before it gets the next; null means never. */
  readonly maxAgeMs: number | null;
  /** It got a request. */
  readonly onBusy: (connection: Connection) => void;
  /** Its response is whole, and no request waited for it. */
  readonly onIdle: (connection: Connection) => void;
  readonly onDisconnect: (connection: Connection) => void;
  /** A connection is made. */
  readonly onSocket: (socket: Socket) => void;
}

/** One place in a pool: a connection, or the room to make one. */
export class Connection extends Client implements HandlerConnection {
  readonly position: number;
  readonly place: Place;
  hasServed = false;
  readonly #options: ConnectionOptions;
  #making: AbortController | undefined;
  #socket: Socket | undefined;
  #connectedAt = 0;
  #isShared = false;
  #since = 0;
  #firstFault: Error | undefined;

  constructor(origin: URL, options: ConnectionOptions) {
    super(origin, {
      ...options.client,
      connect: (target, callback) => {
        this.#making = new AbortController();
        options.connectorFor(this.#making.signal)(target, (...outcome) => {
          this.#making = undefined;
          if (outcome[1]) this.#connected(outcome[1]);
          callback(...outcome);
        });
      },
    });
    this.#options = options;
    this.position = options.position;
    this.place = options.place;
    // The pool listens too, and gives a waiting request to the connection: whether it is idle shows after that.
    this.on('drain', () => {
      this.#dropUnread();
      queueMicrotask(() => this.#isIdle() && options.onIdle(this));
    });
    this.on('disconnect', () => options.onDisconnect(this));
    this.on('connect', () => {
      if (!this.#socket) return;
      repairHttp2Streams(this, this.#socket);
      passOverContinue(this.#socket);
    });
  }

  /** The first fault of the socket. undici reports the last: the end of the connection, not the TLS alert before it. */
  get fault(): Error | undefined {
    return this.#firstFault;
  }

  /** Tells the handler that its wait for a place is over. */
  override dispatch(options: Dispatcher.DispatchOptions, handler: ResponseHandler): boolean {
    const { maxAgeMs, onBusy } = this.#options;
    onBusy(this);
    handler.onConnection(this);
    const isTooOld = maxAgeMs !== null && performance.now() - this.#connectedAt > maxAgeMs;
    if (isTooOld || handler.needsFresh) this.drop();
    return super.dispatch(options, handler);
  }

  /** Cuts the socket that is being made, if one is. */
  stopMaking(): void {
    this.#making?.abort();
  }

  /** Closes the socket if it is idle; the next request makes a new one. */
  drop(): void {
    if (this.#isIdle()) this.#socket?.destroy();
  }

  /**
   * The response was whole before the request: what is still to be written stands in front of the next request, and a server that has
   * answered may never read it.
   */
  #dropUnread(): void {
    if (!this.#isShared && this.#socket && this.#socket.writableLength > 0) this.drop();
  }

  /**
   * A response did not come in time. With HTTP/2 that ends one stream; the connection below may be dead without a sign, so
   * it gets no further requests. Others on it end as they would.
   */
  retire(): void {
    this.#since = 1;
  }

  /**
   * Since when it is connected, which undici's pool sets, and reads to take it out of use at `clientTtl`. 0 is never: a
   * connection that is not shared is replaced while it is idle, so that it makes room for the new one first.
   */
  get ttl(): number {
    return this.#isShared ? this.#since : 0;
  }

  set ttl(since: number) {
    this.#since = since;
  }

  #isIdle(): boolean {
    const { connected, size } = this.stats;
    return connected && size === 0;
  }

  #connected(socket: Socket): void {
    this.#options.onSocket(socket);
    this.#socket = socket;
    this.#isShared = (socket as Partial<TLSSocket>).alpnProtocol === 'h2';
    this.#connectedAt = performance.now();
    this.#firstFault = undefined;
    this.hasServed = false;
    socket.once('error', (error) => (this.#firstFault = error));
  }
}
