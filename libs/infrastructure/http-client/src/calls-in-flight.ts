import { LinkedList, type ListPlace, MAX_TIMER_MS } from '@morgan/foundation';
import type { ClientCall } from './client-call.ts';

/** The calls that are going on, so that a client can wait for them, or end them, when it stops. */
export class CallsInFlight {
  readonly #calls = new LinkedList<ClientCall>();
  #whenIdle: (() => void) | undefined;

  get size(): number {
    return this.#calls.size;
  }

  add(call: ClientCall): ListPlace<ClientCall> {
    return this.#calls.append(call);
  }

  remove(place: ListPlace<ClientCall>): void {
    this.#calls.remove(place);
    if (this.#calls.size === 0) this.#whenIdle?.();
  }

  /** Waits for all of them, at most so long, then aborts the rest. */
  async end(graceMs: number): Promise<void> {
    if (this.#calls.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      timer = setTimeout(resolve, Math.min(graceMs, MAX_TIMER_MS));
    });
    clearTimeout(timer);
    for (const call of this.#calls) call.abort();
  }
}
