import type { LookupFunction } from 'node:net';
import { atEndOfTurn, LinkedList } from '@morgan/foundation';
import { errors } from 'undici';
import { connectorTo, isAddress } from '../connect/connector.ts';
import type { HttpTransportConfig } from '../http-transport.config.ts';
import { NameAddresses, type Place } from '../connect/name-addresses.ts';
import type { OriginPool, OriginStatus } from '../origin-pool.ts';
import { RequestCounts } from '../request-counts.ts';
import type { TransportRequest } from '../request-sender.ts';
import type { ResponseHandler } from '../response/response-handler.ts';
import { Exchange } from './exchange.ts';
import { type ConnectionOwner, Http1Connection } from './http1-connection.ts';
import { IdleStack } from './idle-stack.ts';
import { requestHead } from './request-head.ts';

/**
 * The connections to one origin that speak HTTP/1.1 only. A request goes over the connection that was used last, or over a
 * new one while there may be more; of several addresses behind a name the one that has waited longest is next.
 */
export class Http1Pool implements OriginPool, ConnectionOwner {
  readonly counts = new RequestCounts();
  readonly #config: HttpTransportConfig;
  readonly #origin: URL;
  /** The host of {@link Http1Pool.#origin}, kept because `URL` makes the text anew each time. */
  readonly #host: string;
  readonly #addresses: NameAddresses;
  /** All connections, those that are being made included. */
  readonly #connections = new Set<Http1Connection>();
  readonly #idle: IdleStack;
  /** Connections whose response has ended in this turn of the event loop. */
  readonly #freed: Http1Connection[] = [];
  readonly #queue = new LinkedList<Exchange>();
  /** When each address was last given a request, counted in requests. */
  readonly #lastTurn = new Map<string, number>();
  #turn = 0;
  #opened = 0;
  #onNoSocket: (() => void) | undefined;

  /** @throws TypeError or InvalidArgumentError when it is no origin. */
  constructor(origin: string, config: HttpTransportConfig, lookup: LookupFunction | undefined) {
    this.#origin = originIn(origin);
    this.#host = this.#origin.host;
    this.#config = config;
    this.#addresses = new NameAddresses(lookup);
    const maxAgeMs = isAddress(origin) ? Infinity : (config.maxConnectionAgeMs ?? Infinity);
    this.#idle = new IdleStack({ ...config, maxAgeMs });
  }

  get status(): OriginStatus {
    const { waiting, running, faults } = this.counts;
    const { connected } = this;
    return {
      connected,
      free: this.#idle.size,
      running,
      waiting,
      opened: this.#opened,
      faults,
    };
  }

  get connected(): number {
    return [...this.#connections].filter(({ isConnected }) => isConnected).length;
  }

  send(request: TransportRequest, handler: ResponseHandler): void {
    let head;
    try {
      head = requestHead(request, this.#host);
    } catch (error) {
      return handler.onResponseError(undefined, error as Error);
    }
    const { body, idleTimeoutMs } = handler;
    this.#queue.append(
      new Exchange(handler, { head, body, idleTimeoutMs, isHead: request.method === 'HEAD' }),
    );
    // What has come over idle connections in this turn, such as their end, is heard of first.
    atEndOfTurn(() => {
      this.#serve();
      handler.limitWait();
    });
  }

  onConnected({ place }: Http1Connection): void {
    this.#opened += 1;
    this.#takeTurn(place);
  }

  /** Not before a whole turn has passed does it serve again: servers close connections behind a response without a word of that. */
  onFree(connection: Http1Connection): void {
    if (this.#freed.push(connection) > 1) return;
    atEndOfTurn(() => {
      const freed = this.#freed.splice(0);
      atEndOfTurn(() => this.#takeRested(freed));
    });
  }

  onGone(connection: Http1Connection): void {
    this.#connections.delete(connection);
    this.#idle.delete(connection);
    if (!this.#hasSockets) this.#onNoSocket?.();
    this.#serve();
  }

  async destroy(): Promise<void> {
    const error = new errors.ClientDestroyedError();
    for (const { handler } of this.#queue) handler.onResponseError(undefined, error);
    for (const connection of this.#connections) {
      connection.fail(error);
      connection.making.abort();
    }
    if (this.#hasSockets) await new Promise<void>((resolve) => (this.#onNoSocket = resolve));
  }

  #takeRested(connections: readonly Http1Connection[]): void {
    for (const connection of connections) if (connection.isConnected) this.#idle.push(connection);
    this.#serve();
  }

  get #hasSockets(): boolean {
    return [...this.#connections].some(({ hasSocket }) => hasSocket);
  }

  /** Gives a connection to each request that waits, as long as there is one. */
  #serve(): void {
    for (let next = this.#queue.first; next; next = this.#queue.first) {
      const { isOver, needsFresh } = next.handler;
      const idle = isOver || needsFresh ? undefined : this.#nextIdle();
      if (!isOver && !idle && !this.#hasRoom) return needsFresh ? this.#nextIdle()?.destroy() : undefined;
      this.#queue.shift();
      if (idle) idle.begin(next);
      else if (!isOver) this.#connect(next);
    }
  }

  get #hasRoom(): boolean {
    return this.#connections.size < this.#config.maxConnections;
  }

  #nextIdle(): Http1Connection | undefined {
    if (this.#addresses.size < 2) return this.#idle.pop();
    if (this.#isAddressWithout()) return undefined;
    const found = this.#idle.popLeast(({ place }) => this.#lastTurn.get(place.address ?? '') ?? 0);
    if (found) this.#takeTurn(found.place);
    return found;
  }

  #takeTurn({ address }: Place): void {
    // Addresses come and go with the replicas.
    if (this.#lastTurn.size > 2 * this.#config.maxConnections) this.#lastTurn.clear();
    if (address !== undefined) this.#lastTurn.set(address, (this.#turn += 1));
  }

  /** An address has no connection yet, and there is room for one. */
  #isAddressWithout(): boolean {
    const { maxConnections, maxKeepalive } = this.#config;
    const used = new Set(Array.from(this.#connections, ({ place }) => place.address));
    // One that is being made is on its way to an address that has none.
    if (!this.#hasRoom || used.has(undefined)) return false;
    return used.size < Math.min(this.#addresses.size, maxKeepalive, maxConnections);
  }

  #connect(exchange: Exchange): void {
    const place: Place = {};
    const connection = new Http1Connection(this, place);
    this.#connections.add(connection);
    const { origin, hostname, protocol, port } = this.#origin;
    const places = () => Array.from(this.#connections, (one) => one.place);
    const lookup = this.#addresses.lookupFor(place, places);
    const connector = connectorTo(origin, this.#config, lookup, connection.making.signal);
    connection.connect(
      connector,
      { host: this.#host, hostname: withoutBrackets(hostname), protocol, port },
      exchange,
    );
  }
}

function originIn(text: string): URL {
  const url = new URL(text);
  const { protocol, pathname, search, hash } = url;
  if (/^https?:$/.test(protocol) && pathname + search + hash === '/') return url;
  throw new errors.InvalidArgumentError('an origin has a scheme, a host and a port, and nothing else');
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
