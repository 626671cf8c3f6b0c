import { setTimeout as delay } from 'node:timers/promises';

/** A stretch of time in which the machine, or the gateway, did so much less than it should, in milliseconds. */
interface Stall {
  readonly from: number;
  readonly to: number;
  readonly ms: number;
}

const POLL_MS = 200;
/** What a round costs on an idle machine. */
const ROUND_MS = 20;

/**
 * Asks a gateway for `/readyz` all the time. It answers at once, whatever hosts do: what a round takes beyond that, the
 * machine took. So a verdict about times can leave out what was no doing of the gateway.
 */
export class GatewayWatch {
  /** What `/readyz` said that was not 200. */
  readonly unready: string[] = [];
  readonly #stalls: Stall[] = [];
  readonly #end = new AbortController();

  constructor(origin: string) {
    void this.#run(origin);
  }

  stop(): void {
    this.#end.abort();
  }

  /** How long the machine stood still between two instants of `performance.now()`, in milliseconds. */
  stalledMs(from: number, to: number): number {
    const within = this.#stalls.filter((stall) => stall.to > from && stall.from < to);
    return within.reduce((sum, { ms }) => sum + ms, 0);
  }

  async #run(origin: string): Promise<void> {
    const { signal } = this.#end;
    let from = performance.now();
    while (!signal.aborted) {
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
      try {
        const { status } = await fetch(`${origin}/readyz`, { signal });
        if (status !== 200) this.unready.push(`/readyz said ${status}`);
      } catch (error) {
        if (!signal.aborted) this.unready.push(`/readyz did not answer: ${String(error)}`);
      }
      const to = performance.now();
      const ms = to - from - POLL_MS - ROUND_MS;
      if (ms > 0) this.#stalls.push({ from, to, ms });
      from = to;
    }
  }
}
