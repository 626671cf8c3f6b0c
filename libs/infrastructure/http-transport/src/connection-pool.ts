import { isIP, type LookupFunction, type Socket } from 'node:net';
import { MAX_TIMER_MS } from '@morgan/foundation';
import { type buildConnector, Pool } from 'undici';
import { Connection, type ConnectionOptions } from './connection.ts';
import { directConnector } from './direct-connector.ts';
import type { PoolCounters } from './response-handler.ts';
import type { HttpTransportConfig } from './http-transport.config.ts';
import { IdleConnections } from './idle-connections.ts';
import { NameAddresses, type Place } from './name-addresses.ts';
import { isProxied, proxyConnector } from './proxy-connector.ts';
import type { TransportFault } from './transport-error.ts';
import { kAddClient, kClients, kGetDispatcher, kNeedDrain } from './undici-internals.ts';

/** The connections to one origin. */
export interface OriginStatus {
  readonly connected: number;
  /** Connections that could take a request now. */
  readonly free: number;
  /** Requests that are on their way or being answered. */
  readonly running: number;
  /** Requests that wait for a connection to become free or to be made. */
  readonly waiting: number;
  /** All connections ever made: with kept connections it grows far slower than the requests. */
  readonly opened: number;
  /** How many requests failed, by reason; a reason that never came is not there. */
  readonly faults: Readonly<Partial<Record<TransportFault, number>>>;
}

/** What undici's pool keeps under its own symbols. */
interface PoolInternals {
  readonly [kClients]: readonly (Connection & { readonly [kNeedDrain]: boolean })[];
  [kAddClient](client: Connection): void;
  [kGetDispatcher](): Connection | undefined;
}
const internals = Pool.prototype as unknown as PoolInternals;

/**
 * The connections to one origin, with what undici's pool has not: limits for idle connections and their age, and the
 * addresses behind one name served in turn.
 */
export class ConnectionPool extends Pool implements PoolCounters {
  readonly #idle: IdleConnections;
  #made = 0;
  #opened = 0;
  readonly #sockets = new Set<Socket>();
  readonly #faults: Partial<Record<TransportFault, number>> = {};
  /** Handlers count their own requests: undici counts those that gave up waiting, and not those on connections in retirement. */
  waiting = 0;
  running = 0;
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
      running: this.running,
      waiting: this.waiting,
      opened: this.#opened,
      faults: { ...this.#faults },
    };
  }

  failed(reason: TransportFault): void {
    this.#faults[reason] = (this.#faults[reason] ?? 0) + 1;
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
      connect: connectorTo(origin.origin, this.#config, lookup),
      position: this.#made,
      maxAgeMs: this.#maxAgeMs,
      onBusy: (one) => this.#idle.delete(one),
      onIdle: (one) => this.#idle.add(one),
      onDisconnect: (one) => this.#idle.delete(one),
      onSocket: (socket) => this.#connected(socket),
    });
  }
}

function connectorTo(
  origin: string,
  { tls, proxy, connectTimeoutMs: timeout, http2: allowH2 }: HttpTransportConfig,
  lookup: LookupFunction,
): buildConnector.connector {
  // The name in SNI has no dot at its end (RFC 6066, 3): servers know no certificate for one that has.
  const servername = tls.servername ?? nameWithDot(origin)?.slice(0, -1);
  const options = { ...tls, ...(servername !== undefined && { servername }), timeout, allowH2 };
  if (!proxy || !isProxied(origin, proxy)) return directConnector({ ...options, lookup });
  return proxyConnector(proxy, options);
}

function nameWithDot(origin: string): string | undefined {
  const { hostname } = new URL(origin);
  return hostname.endsWith('.') ? hostname : undefined;
}

/** An address needs no asking again for what it stands for. */
function isAddress(origin: string): boolean {
  return isIP(new URL(origin).hostname.replace(/^\[|\]$/g, '')) !== 0;
}
