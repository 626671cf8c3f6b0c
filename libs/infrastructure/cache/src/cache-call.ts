import type { CallContext } from '@morgan/foundation';
import type { CacheResult } from './cache-counts.ts';
import type { CachedEmbedding } from './cached-embedding.ts';
import type { LookedUp } from './resolved.ts';
import { type Flight, FlightAbandoned, KeyFault } from './single-flight.ts';

/** Takes the entry of a key that came after all. */
type KeepLate = (key: string, entry: CachedEmbedding) => void;

/**
 * Computes the entries of some keys, in their order; an error stands for a key that could not be computed.
 * @param signal aborted once nobody waits for any of them: neither the call that began nor others that want the same
 * @param keepLate for what was under way when it ended, as it does with its caller: whoever asks again need not have it computed again
 */
export type Compute = (
  keys: readonly string[],
  signal: AbortSignal,
  keepLate: KeepLate,
) => Promise<readonly (CachedEmbedding | Error)[]>;

/** Tells of errors that are about the input of a key, as opposed to the call: whoever asks for the key at the same time shares them. */
export interface KeyFaults {
  isOf(key: string, error: unknown): boolean;
  /** The error of another call about a key, as this call has to say it. */
  retold(key: string, error: unknown): Error;
}

/** Whose call it is, and what it begins with. */
interface CacheCallOptions {
  readonly context: CallContext;
  readonly faults?: KeyFaults | undefined;
  readonly lookedUp?: LookedUp | undefined;
}

/** One call of a cache: what it has got so far, and what went wrong. */
export class CacheCall {
  readonly results: Map<string, CacheResult>;
  /** Whether Redis was asked for what the call lacks. */
  readonly isLookedUp: boolean;
  /** Settled once Redis has taken, or refused, what has been stored so far. Never rejects. */
  stored: Promise<unknown> = Promise.resolve();
  readonly #entries: Map<string, CachedEmbedding | Error>;
  readonly #compute: Compute;
  readonly #signal: AbortSignal;
  readonly #faults: KeyFaults | undefined;
  /** Rejected once the caller leaves. */
  readonly #waits: ((reason: unknown) => void)[] = [];
  #work: AbortController | undefined;
  #flights: readonly Flight[] = [];

  /** @param generation of the cache when the call began */
  constructor(
    compute: Compute,
    { context, faults, lookedUp }: CacheCallOptions,
    readonly generation: number,
  ) {
    this.#compute = compute;
    this.#signal = context.signal;
    this.#faults = faults;
    this.isLookedUp = lookedUp !== undefined;
    this.results = new Map(lookedUp?.results);
    this.#entries = new Map(lookedUp?.entries);
  }

  /** Of the work for this call, which goes on without its caller for as long as others wait for what it computes. */
  get signal(): AbortSignal {
    if (!this.#work) {
      this.#work = new AbortController();
      if (this.#signal.aborted) this.endUnlessAwaited();
      else this.#signal.addEventListener('abort', this.endUnlessAwaited, { once: true });
    }
    return this.#work.signal;
  }

  /** The call computes these, and others may wait for them. */
  owns(flights: readonly Flight[]): void {
    this.#flights = [...this.#flights, ...flights];
  }

  /** Ends the work of a call whose caller has left, unless somebody else waits for it. */
  readonly endUnlessAwaited = (): void => {
    const isWanted = !this.#signal.aborted || this.#flights.some(({ isAwaited }) => isAwaited);
    if (!isWanted) this.#work?.abort(this.#signal.reason);
  };

  /** Waits for work that may go on without the caller. @throws the reason of the aborted signal, or what the work rejects with */
  whileHere<Result>(work: Promise<Result>): Promise<Result> {
    // By hand: `Promise.race` makes four promises more.
    return new Promise((resolve, reject) => {
      work.then(resolve, reject);
      if (this.#signal.aborted) return reject(this.#signal.reason as Error);
      if (this.#waits.length === 0) this.#signal.addEventListener('abort', this.#leave, { once: true });
      this.#waits.push(reject);
    });
  }

  /** Undefined where there is none, or an error. */
  entry(key: string): CachedEmbedding | undefined {
    const entry = this.#entries.get(key);
    return entry instanceof Error ? undefined : entry;
  }

  /** @throws the error that stands for the key */
  entryOrThrow(key: string): CachedEmbedding {
    const entry = this.#entries.get(key) ?? new Error('the key was not resolved');
    if (entry instanceof Error) throw entry;
    return entry;
  }

  found(key: string, entry: CachedEmbedding, result: CacheResult): void {
    this.#entries.set(key, entry);
    this.results.set(key, result);
  }

  async compute(keys: readonly string[], result: CacheResult, keepLate: KeepLate): Promise<void> {
    const computed = await this.#compute(keys, this.signal, keepLate);
    keys.forEach((key, index) => {
      this.#entries.set(key, computed[index] ?? new Error('nothing was computed for the key'));
      this.results.set(key, result);
    });
  }

  /**
   * Waits for what another call of this process computes. `landed`: it has an entry, or an error that is about the key.
   * `abandoned`: that call gave up for reasons of its own. `failed`:
   * its error is about it as a whole, and names inputs as it calls them.
   * @throws the reason of the aborted signal
   */
  async join(key: string, flight: Flight): Promise<'landed' | 'abandoned' | 'failed'> {
    try {
      this.found(key, await this.whileHere(flight.join()), 'coalesced');
      return 'landed';
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof KeyFault && this.#faults) {
        this.#entries.set(key, this.#faults.retold(key, error.cause));
        return 'landed';
      }
      return error instanceof FlightAbandoned ? 'abandoned' : 'failed';
    } finally {
      flight.leave();
    }
  }

  /** The call is over: nothing of it stays with a signal that may live for many calls. */
  release(): void {
    if (this.#waits.length > 0) this.#signal.removeEventListener('abort', this.#leave);
    if (this.#work) this.#signal.removeEventListener('abort', this.endUnlessAwaited);
  }

  /** What those learn who wait for a key of this call that did not come. */
  failureOf(key: string, failure: unknown): Error {
    if (this.#signal.aborted) return new FlightAbandoned();
    const entry = this.#entries.get(key);
    const fault = entry instanceof Error ? entry : failure;
    if (this.#faults?.isOf(key, fault)) return new KeyFault(fault);
    if (entry instanceof Error) return entry;
    return failure instanceof Error ? failure : new Error('the key was not resolved', { cause: failure });
  }

  readonly #leave = (): void => {
    for (const reject of this.#waits) reject(this.#signal.reason);
  };
}
