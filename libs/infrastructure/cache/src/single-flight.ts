import type { CachedEmbedding } from './cached-embedding.ts';

/** What an owner of a {@link Flight} rejects with when it gave up for reasons of its own: whoever waits may take over. */
export class FlightAbandoned extends Error {
  override readonly name = 'FlightAbandoned';
}

/** What an owner rejects with when its error, the cause, is about the input itself: whoever waits would meet the same. */
export class KeyFault extends Error {
  override readonly name = 'KeyFault';

  constructor(cause: unknown) {
    super('the input cannot be computed', { cause });
  }
}

/** A vector that is on its way in this process. Exactly one call owns it; others wait for it. */
export class Flight {
  /** There once somebody waits; hardly anybody does. */
  #settled: PromiseWithResolvers<CachedEmbedding> | undefined;
  #waiting = 0;
  #onOver: (() => void) | undefined;
  #onLeft: (() => void) | undefined;

  /** @param onLeft called when the last of those who waited has left */
  constructor(onOver: () => void, onLeft: () => void) {
    this.#onOver = onOver;
    this.#onLeft = onLeft;
  }

  /** Whether anybody waits for it beside its owner. */
  get isAwaited(): boolean {
    return this.#waiting > 0;
  }

  /** Waits for it, to be called while the flight is under way; {@link leave} ends that. */
  join(): Promise<CachedEmbedding> {
    this.#waiting += 1;
    this.#settled ??= Promise.withResolvers<CachedEmbedding>();
    return this.#settled.promise;
  }

  leave(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#onLeft?.();
  }

  land(embedding: CachedEmbedding): void {
    this.#end()?.resolve(embedding);
  }

  fail(error: Error): void {
    this.#end()?.reject(error);
  }

  /**
   * Lets go of all that it knows: old tables of a `Map` hold what was in them until V8 collects everything, and with this flight would
   * hold a whole request.
   */
  #end(): PromiseWithResolvers<CachedEmbedding> | undefined {
    const settled = this.#settled;
    this.#onOver?.();
    this.#onOver = this.#onLeft = this.#settled = undefined;
    return settled;
  }
}

/** The flights of this process by key. A key leaves with its flight, so memory is bounded by the calls that go on. */
export class SingleFlight {
  readonly #flights = new Map<string, Flight>();

  get(key: string): Flight | undefined {
    return this.#flights.get(key);
  }

  /**
   * Begins a flight whose owner is the caller; it must land or fail.
   * @param onLeft called when the last of those who waited for it has left
   */
  begin(key: string, onLeft: () => void): Flight {
    const flight: Flight = new Flight(() => {
      // It may have been forgotten, and another be under way.
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }, onLeft);
    this.#flights.set(key, flight);
    return flight;
  }

  /** Nobody joins those any more that are under way; whoever waits for one goes on waiting. */
  forget(): void {
    this.#flights.clear();
  }
}
