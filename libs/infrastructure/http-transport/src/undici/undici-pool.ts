import type { LookupFunction, Socket } from 'node:net';
import { MAX_TIMER_MS } from '@morgan/foundation';
import { type Dispatcher, Pool } from 'undici';
import { connectorTo, isAddress } from '../connect/connector.ts';
import type { HttpTransportConfig } from '../http-transport.config.ts';
import { NameAddresses, type Place } from '../connect/name-addresses.ts';
import type { OriginPool, OriginStatus } from '../origin-pool.ts';
import { RequestCounts } from '../request-counts.ts';
import type { TransportRequest } from '../request-sender.ts';
import type { ResponseHandler } from '../response/response-handler.ts';
import { IdleConnections } from './idle-connections.ts';
import { Connection, type ConnectionOptions } from './undici-connection.ts';
import { kAddClient, kClients, kGetDispatcher, kNeedDrain } from './undici-internals.ts';

/** What undici's pool keeps under its own symbols. */
interface PoolInternals {
  readonly [kClients]: readonly (Connection & { readonly [kNeedDrain]: boolean })[];
  [kAddClient](client: Connection): void;
  [kGetDispatcher](): Connection | undefined;
}
const internals = Pool.prototype as unknown as PoolInternals;

/**
 * The connections to one origin that may speak HTTP/2, with what undici's pool has not: limits for idle connections and their
 * age, and the addresses behind one name served in turn.
 */
export class UndiciPool extends Pool implements OriginPool {
  readonly counts = new RequestCounts();
  readonly #idle: IdleConnections;
  #made = 0;
  #opened = 0;
  readonly #sockets = new Set<Socket>();
  readonly #maxAgeMs: number | null;
  readonly #config: HttpTransportConfig;
  readonly #addresses: NameAddresses;
  /** When each address was last given a request, counted in requests. */
  readonly #lastTurn = new Map<string, number>();
  #turn = 0;
  #makeConnection: (() => Connection) | undefined;

  constructor(origin: string, config: HttpTransportConfig, lookup: LookupFunction | undefined) {
    const maxAgeMs = isAddress(origin) ? null : config.maxConnectionAgeMs;
    super(origin, {
      connections: config.maxConnections,
      keepAliveTimeout: config.keepAliveTimeoutMs,
      // undici would believe a server that names a longer time.
      keepAliveMaxTimeout: config.keepAliveTimeoutMs,
      allowH2: config.http2,
      // A shared connection may never be idle, so it cannot wait for that: a new one takes over while it ends.
      clientTtl: config.http2 && origin.startsWith('https:') ? (maxAgeMs ?? MAX_TIMER_MS) : null,
      factory: (url, client) => {
        this.#makeConnection = () => this.#connection(url, client);
        return this.#makeConnection();
      },
    });
    this.#idle = new IdleConnections(config.maxKeepalive);
    this.#maxAgeMs = maxAgeMs;
    this.#config = config;
    this.#addresses = new NameAddresses(lookup);
  }

  get status(): OriginStatus {
    return {
      connected: [...this.#sockets].filter(({ destroyed }) => !destroyed).length,
      free: this.stats.free,
      running: this.counts.running,
      waiting: this.counts.waiting,
      opened: this.#opened,
      faults: this.counts.faults,
    };
  }

  get connected(): number {
    return this.stats.connected;
  }

  send(request: TransportRequest, handler: ResponseHandler): void {
    const { path, method } = request;
    // undici takes what can be iterated as well; its types do not say so.
    const body = (handler.body ?? null) as Buffer | null;
    const limits = { headersTimeout: 0, bodyTimeout: handler.idleTimeoutMs };
    const options: Dispatcher.DispatchOptions = {
      path,
      method,
      headers: headersFor(request, body),
      body,
      ...limits,
    };
    this.dispatch(options, handler);
    handler.limitWait();
  }

  /** Cuts what is being made, too: undici would wait for it. */
  override destroy(...options: never[]): Promise<void> {
    for (const client of this.#clients) client.stopMaking();
    return super.destroy(...(options as []));
  }

  get #clients(): PoolInternals[typeof kClients] {
    return (this as unknown as PoolInternals)[kClients];
  }

  #connected(socket: Socket): void {
    this.#opened += 1;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** undici takes the first connection that is free; of several addresses the one that has waited longest is next. */
  [kGetDispatcher](): Connection | undefined {
    const usual = internals[kGetDispatcher].call(this);
    if (!usual || this.#addresses.size < 2) return usual;
    const next = this.#missing() ?? this.#longestUnused() ?? usual;
    // Addresses come and go with the replicas.
    if (this.#lastTurn.size > 2 * this.#config.maxConnections) this.#lastTurn.clear();
    if (next.place.address !== undefined) this.#lastTurn.set(next.place.address, (this.#turn += 1));
    return next;
  }

  /** A new connection where an address has none yet. */
  #missing(): Connection | undefined {
    const clients = this.#clients;
    const { maxConnections, maxKeepalive } = this.#config;
    const wanted = Math.min(this.#addresses.size, maxKeepalive, maxConnections);
    // One that is being made is on its way to an address that has none.
    if (clients.length >= maxConnections || clients.some(({ place }) => place.address === undefined))
      return undefined;
    if (new Set(clients.map(({ place }) => place.address)).size >= wanted) return undefined;
    const made = this.#makeConnection?.();
    if (made) (this as unknown as PoolInternals)[kAddClient](made);
    return made;
  }

  #longestUnused(): Connection | undefined {
    let found: Connection | undefined;
    let foundTurn = Infinity;
    for (const client of this.#clients) {
      const turn = this.#lastTurn.get(client.place.address ?? '') ?? 0;
      if (client[kNeedDrain] || turn >= foundTurn) continue;
      [found, foundTurn] = [client, turn];
    }
    return found;
  }

  #connection(origin: URL, client: ConnectionOptions['client']): Connection {
    this.#made += 1;
    const place: Place = {};
    const lookup = this.#addresses.lookupFor(place, () => this.#clients.map((one) => one.place));
    return new Connection(origin, {
      client,
      place,
      connectorFor: (signal) => connectorTo(origin.origin, this.#config, lookup, signal),
      position: this.#made,
      maxAgeMs: this.#maxAgeMs,
      onBusy: (one) => this.#idle.delete(one),
      onIdle: (one) => this.#idle.add(one),
      onDisconnect: (one) => this.#idle.delete(one),
      onSocket: (socket) => this.#connected(socket),
    });
  }
}

/** Bytes that are here have a length, also where they go out in slices. */
function headersFor({ headers = [], body }: TransportRequest, sent: unknown): string[] {
  if (!Buffer.isBuffer(body) || sent === body) return headers;
  const isNamed = headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length');
  return isNamed ? headers : [...headers, 'content-length', String(body.length)];
}
