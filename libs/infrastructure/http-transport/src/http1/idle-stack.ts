import type { Http1Connection } from './http1-connection.ts';

/** How often those that are no longer wanted are looked for. Those that were idle all the time are surplus. */
const SWEEP_MS = 500;
/** So much before the server ends an idle connection it gets no request any more: the end may be on its way. */
const MARGIN_MS = 2_000;

/** How long connections are kept. */
export interface IdleLimits {
  /** The most that stay idle. */
  readonly maxKeepalive: number;
  readonly keepAliveTimeoutMs: number;
  /** Since it was made. */
  readonly maxAgeMs: number;
}

/** The connections of a pool that have no request now: the one that had one last is the next, so that others grow old. */
export class IdleStack {
  readonly #limits: IdleLimits;
  readonly #stack: Http1Connection[] = [];
  /** How many there were at least since the last sweep. */
  #least = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: IdleLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#stack.length;
  }

  /** A connection that the server keeps for less than what is safe is cut. */
  push(connection: Http1Connection): void {
    connection.rest();
    if (this.#keptForMs(connection) <= 0) return connection.destroy();
    this.#stack.push(connection);
    this.#watch();
  }

  /** The next that may be used; those above it that are too old, or were kept for too long, are cut. */
  pop(): Http1Connection | undefined {
    for (let last = this.#stack.pop(); last; last = this.#stack.pop()) {
      this.#least = Math.min(this.#least, this.#stack.length);
      if (this.#isGood(last, performance.now())) return last;
      last.destroy();
    }
    return undefined;
  }

  /** The one for which a figure is smallest, of those that may be used. */
  popLeast(figureOf: (connection: Http1Connection) => number): Http1Connection | undefined {
    const now = performance.now();
    let found: Http1Connection | undefined;
    for (const one of this.#stack)
      if (this.#isGood(one, now) && (!found || figureOf(one) < figureOf(found))) found = one;
    if (found) this.delete(found);
    return found;
  }

  delete(connection: Http1Connection): void {
    const at = this.#stack.indexOf(connection);
    if (at === -1) return;
    this.#stack.splice(at, 1);
    this.#least = Math.min(this.#least, this.#stack.length);
  }

  #watch(): void {
    const everyMs = Math.min(SWEEP_MS, this.#limits.keepAliveTimeoutMs);
    this.#timer ??= setTimeout(this.#sweep, everyMs).unref();
  }

  readonly #sweep = (): void => {
    const now = performance.now();
    const surplus = this.#least - this.#limits.maxKeepalive;
    // Those at the bottom have been idle for longest.
    const unwanted = this.#stack.filter((one, at) => at < surplus || !this.#isGood(one, now));
    for (const one of unwanted) {
      this.delete(one);
      one.destroy();
    }
    this.#least = this.#stack.length;
    this.#timer = undefined;
    if (this.#least > 0) this.#watch();
  };

  #isGood(connection: Http1Connection, now: number): boolean {
    const { connectedAt, idleSince, isConnected } = connection;
    const isYoung = now - connectedAt <= this.#limits.maxAgeMs;
    return isConnected && isYoung && now - idleSince < this.#keptForMs(connection);
  }

  #keptForMs({ keptForMs = Infinity }: Http1Connection): number {
    return Math.min(this.#limits.keepAliveTimeoutMs, keptForMs - MARGIN_MS);
  }
}
