import { isIP, type LookupFunction } from 'node:net';
import { Pool } from 'undici';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { HttpTransportConfig } from './http-transport.config.ts';

/** Connections that were idle for all of this time are surplus; load that comes in waves keeps what it needs. */
const TRIM_AFTER_MS = 500;

/** The connections to one origin, with what undici's pool has no limit for: idle connections and their age. */
export class ConnectionPool extends Pool {
  readonly #maxKeepalive: number;
  /** Connections without a request, and how many there were at least since the timer was set. */
  readonly #idle = new Set<Connection>();
  #idleAtLeast = 0;
  #timer: NodeJS.Timeout | undefined;
  #made = 0;
  readonly #maxAgeMs: number | null;

  constructor(origin: string, config: HttpTransportConfig, lookup: LookupFunction | undefined) {
    const maxAgeMs = isAddress(origin) ? null : config.maxConnectionAgeMs;
    super(origin, {
      connections: config.maxConnections,
      connectTimeout: config.connectTimeoutMs,
      keepAliveTimeout: config.keepAliveTimeoutMs,
      allowH2: config.http2,
      // A shared connection may never be idle, so it cannot wait for that: a new one takes over while it ends.
      clientTtl: config.http2 && origin.startsWith('https:') ? maxAgeMs : null,
      connect: { ...config.tls, ...(lookup ? { lookup } : {}) },
      factory: (url, client) => this.#connection(url, client as ConnectionOptions['client']),
    });
    this.#maxKeepalive = config.maxKeepalive;
    this.#maxAgeMs = maxAgeMs;
  }

  #connection(origin: URL, client: ConnectionOptions['client']): Connection {
    this.#made += 1;
    return new Connection(origin, {
      client,
      position: this.#made,
      maxAgeMs: this.#maxAgeMs,
      onBusy: (one) => this.#left(one),
      onIdle: (one) => this.#entered(one),
      onDisconnect: (one) => this.#left(one),
    });
  }

  #entered(connection: Connection): void {
    this.#idle.add(connection);
    this.#watch();
  }

  #left(connection: Connection): void {
    if (!this.#idle.delete(connection)) return;
    this.#idleAtLeast = Math.min(this.#idleAtLeast, this.#idle.size);
    if (this.#idle.size > this.#maxKeepalive) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #watch(): void {
    if (this.#timer || this.#idle.size <= this.#maxKeepalive) return;
    this.#idleAtLeast = this.#idle.size;
    this.#timer = setTimeout(() => this.#trim(), TRIM_AFTER_MS).unref();
  }

  #trim(): void {
    this.#timer = undefined;
    // undici prefers the places made first: giving up one of those would cost a new connection at once.
    const lastFirst = [...this.#idle].sort((one, other) => other.position - one.position);
    for (const connection of lastFirst.slice(0, this.#idleAtLeast - this.#maxKeepalive)) {
      this.#idle.delete(connection);
      connection.drop();
    }
    this.#watch();
  }
}

/** An address needs no asking again for what it stands for. */
function isAddress(origin: string): boolean {
  return isIP(new URL(origin).hostname.replace(/^\[|\]$/g, '')) !== 0;
}
