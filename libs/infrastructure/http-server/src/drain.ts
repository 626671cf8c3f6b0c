import {
  breakTransfer,
  LinkedList,
  type ListPlace,
  type HealthIndicator,
  HealthReading,
  type OutgoingResponse,
} from '@morgan/foundation';

/** How long a drain takes, in milliseconds. */
interface DrainTimes {
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
  readonly #inFlight = new LinkedList<OutgoingResponse>();
  #stopping = false;
  #isOver = false;
  #idle: (() => void) | undefined;

  get inFlight(): number {
    return this.#inFlight.size;
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

  /** @returns what {@link leave} takes. */
  enter(response: OutgoingResponse): ListPlace<OutgoingResponse> {
    if (this.#stopping) closeBehind(response);
    return this.#inFlight.append(response);
  }

  leave(place: ListPlace<OutgoingResponse>): void {
    this.#inFlight.remove(place);
    if (this.inFlight === 0) this.#idle?.();
  }

  /** Cuts what is in flight, so that no client takes a part of its answer for the whole. */
  cut(): void {
    for (const response of this.#inFlight) breakTransfer(response);
  }

  /** Waits until the least time is over and nothing is in flight. Resolves to the number of requests still in flight. */
  async stop({ minMs, graceMs }: DrainTimes): Promise<number> {
    this.#stopping = true;
    for (const response of this.#inFlight) closeBehind(response);
    const startedAt = performance.now();
    if (minMs > 0) await new Promise((resolve) => setTimeout(resolve, minMs));
    const leftMs = graceMs - (performance.now() - startedAt);
    if (this.inFlight > 0 && leftMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isOver = true;
    return this.inFlight;
  }
}

/**
 * Says `connection: close` with a head that is still to leave: the client would send its next request on a connection that is about
 * to be closed.
 */
function closeBehind(response: OutgoingResponse): void {
  response.shouldKeepAlive = false;
}
