import type { HealthIndicator, HealthReading } from '@morgan/foundation';

/** How long a drain takes, in milliseconds. */
export interface DrainTimes {
  /** It takes this long even with nothing in flight, so that whoever polls readiness sees the stop. */
  readonly minMs: number;
  /** What is in flight has this long to finish. */
  readonly graceMs: number;
}

/**
 * Counts the requests in flight and knows whether the process is stopping. As a health indicator it takes the service out of
 * rotation at the first sign of a stop, while everything that is in flight goes on.
 */
export class Drain implements HealthIndicator {
  readonly name = 'lifecycle';
  readonly required = true;
  #inFlight = 0;
  #stopping = false;
  #isOver = false;
  #idle: (() => void) | undefined;

  get inFlight(): number {
    return this.#inFlight;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** What is still in flight is cut. */
  get isOver(): boolean {
    return this.#isOver;
  }

  read(): HealthReading {
    return { up: !this.#stopping, details: { state: this.#stopping ? 'stopping' : 'running' } };
  }

  enter(): void {
    this.#inFlight += 1;
  }

  leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#idle?.();
  }

  /** Waits until the least time is over and nothing is in flight. Resolves to the number of requests still in flight. */
  async stop({ minMs, graceMs }: DrainTimes): Promise<number> {
    this.#stopping = true;
    const startedAt = performance.now();
    if (minMs > 0) await new Promise((resolve) => setTimeout(resolve, minMs));
    const leftMs = graceMs - (performance.now() - startedAt);
    if (this.#inFlight > 0 && leftMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isOver = true;
    return this.#inFlight;
  }
}
