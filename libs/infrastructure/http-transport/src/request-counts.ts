import type { TransportFault } from './transport-error.ts';

/** The requests to one origin. Their handlers count them, as those in charge of connections lose sight of some. */
export class RequestCounts {
  /** Requests that wait for a connection to become free or to be made. */
  waiting = 0;
  /** Requests that are on their way or being answered. */
  running = 0;
  readonly #faults: Partial<Record<TransportFault, number>> = {};
  #onNone: (() => void)[] = [];

  /** How many failed, by reason; a reason that never came is not there. */
  get faults(): Readonly<Partial<Record<TransportFault, number>>> {
    return { ...this.#faults };
  }

  failed(reason: TransportFault): void {
    this.#faults[reason] = (this.#faults[reason] ?? 0) + 1;
  }

  /** One is over, and no longer counted. */
  settled(): void {
    if (this.waiting + this.running > 0) return;
    for (const resolve of this.#onNone.splice(0)) resolve();
  }

  /** Resolves when there are none. */
  none(): Promise<void> {
    return new Promise((resolve) => {
      this.#onNone.push(resolve);
      this.settled();
    });
  }
}
