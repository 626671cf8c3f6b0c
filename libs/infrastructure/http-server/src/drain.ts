import type { HealthIndicator, HealthReading } from '@morgan/foundation';

/**
 * Counts the requests in flight and knows whether the process is stopping. As a health indicator it takes the service out of
 * rotation at the first sign of a stop, while everything that is in flight goes on.
 */
export class Drain implements HealthIndicator {
  readonly name = 'lifecycle';
  readonly required = true;
  #inFlight = 0;
  #stopping = false;
  #idle: (() => void) | undefined;

  get inFlight(): number {
    return this.#inFlight;
  }

  get stopping(): boolean {
    return this.#stopping;
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

  /** Waits until nothing is in flight, at most `graceMs`. Resolves to the number of requests still in flight. */
  async stop(graceMs: number): Promise<number> {
    this.#stopping = true;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#inFlight;
  }
}
