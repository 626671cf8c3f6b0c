import type { ClientCall } from './client-call.ts';

/** The calls that are going on, so that a client can wait for them, or end them, when it stops. */
export class CallsInFlight {
  readonly #calls = new Set<ClientCall>();
  #whenIdle: (() => void) | undefined;

  get size(): number {
    return this.#calls.size;
  }

  add(call: ClientCall): void {
    this.#calls.add(call);
  }

  remove(call: ClientCall): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#whenIdle?.();
  }

  /** Waits for all of them, at most so long, then aborts the rest. */
  async end(graceMs: number): Promise<void> {
    if (this.#calls.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      timer = setTimeout(resolve, graceMs);
    });
    clearTimeout(timer);
    for (const call of this.#calls) call.abort();
  }
}
