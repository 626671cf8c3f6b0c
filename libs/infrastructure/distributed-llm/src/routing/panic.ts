import type { Host } from '../hosts/host.ts';

/** How much is let through where nothing good is left. */
export interface PanicOptions {
  /** Of the calls that find no good target, the share that may try one all the same. */
  readonly share: number;
  /** How many of them may be at one host at a time. */
  readonly concurrency: number;
}

/**
 * Where every target fails, rests by its own fault or looks down, there is no better choice than to ask one: the calls
 * that do are bounded, and the first that succeeds ends the panic.
 */
export class Panic {
  readonly #inFlight = new Map<Host, number>();

  constructor(
    private readonly options: PanicOptions,
    private readonly random: () => number = Math.random,
  ) {}

  /** Whether one more such call may go to the host now. */
  hasRoom(host: Host): boolean {
    return (this.#inFlight.get(host) ?? 0) < this.options.concurrency;
  }

  /** Drawn once for a call. */
  lets(): boolean {
    return this.random() < this.options.share;
  }

  started(host: Host): void {
    this.#inFlight.set(host, (this.#inFlight.get(host) ?? 0) + 1);
  }

  ended(host: Host): void {
    this.#inFlight.set(host, (this.#inFlight.get(host) ?? 1) - 1);
  }
}
