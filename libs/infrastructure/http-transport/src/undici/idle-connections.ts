import type { Connection } from './undici-connection.ts';

/** Connections that were idle for all of this time are surplus; load that comes in waves keeps what it needs. */
const TRIM_AFTER_MS = 500;

/** The connections of a pool that have no request now. Those above a limit that stay idle are closed. */
export class IdleConnections {
  readonly #idle = new Set<Connection>();
  /** How many there were at least since the timer was set. */
  #leastIdle = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param limit how many may stay. */
  constructor(private readonly limit: number) {}

  add(connection: Connection): void {
    this.#idle.add(connection);
    this.#watch();
  }

  /** The connection has a request, or has ended. */
  delete(connection: Connection): void {
    if (!this.#idle.delete(connection)) return;
    this.#leastIdle = Math.min(this.#leastIdle, this.#idle.size);
    if (this.#idle.size > this.limit) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #watch(): void {
    if (this.#timer || this.#idle.size <= this.limit) return;
    this.#leastIdle = this.#idle.size;
    this.#timer = setTimeout(() => this.#trim(), TRIM_AFTER_MS).unref();
  }

  #trim(): void {
    this.#timer = undefined;
    // undici prefers the places made first: giving up one of those would cost a new connection at once.
    const lastFirst = [...this.#idle].sort((one, other) => other.position - one.position);
    for (const connection of lastFirst.slice(0, this.#leastIdle - this.limit)) {
      this.#idle.delete(connection);
      connection.drop();
    }
    this.#watch();
  }
}
