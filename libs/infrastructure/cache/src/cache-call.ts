import type { CallContext } from '@morgan/foundation';
import type { CacheResult } from './cache-counts.ts';
import type { CachedEmbedding } from './cached-embedding.ts';
import { FlightAbandoned, KeyFault } from './single-flight.ts';

/** Computes the entries of some keys, in their order; an error stands for a key that could not be computed. */
export type Compute = (keys: readonly string[]) => Promise<readonly (CachedEmbedding | Error)[]>;

/** Tells of errors that are about the input of a key, as opposed to the call: whoever asks for the key at the same time shares them. */
export interface KeyFaults {
  isOf(key: string, error: unknown): boolean;
  /** The error of another call about a key, as this call has to say it. */
  retold(key: string, error: unknown): Error;
}

/** One call of a cache: what it has got so far, and what went wrong. */
export class CacheCall {
  readonly results = new Map<string, CacheResult>();
  readonly #entries = new Map<string, CachedEmbedding | Error>();
  readonly #compute: Compute;
  readonly #signal: AbortSignal;
  readonly #faults: KeyFaults | undefined;
  #aborted: Promise<never> | undefined;
  #onAbort: (() => void) | undefined;

  /** @param generation of the cache when the call began */
  constructor(
    compute: Compute,
    { context, faults }: { readonly context: CallContext; readonly faults?: KeyFaults | undefined },
    readonly generation: number,
  ) {
    this.#compute = compute;
    this.#signal = context.signal;
    this.#faults = faults;
  }

  get signal(): AbortSignal {
    return this.#signal;
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

  async compute(keys: readonly string[], result: CacheResult): Promise<void> {
    const computed = await this.#compute(keys);
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
  async join(key: string, flight: Promise<CachedEmbedding>): Promise<'landed' | 'abandoned' | 'failed'> {
    try {
      this.found(key, await Promise.race([flight, this.#whenAborted()]), 'coalesced');
      return 'landed';
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof KeyFault && this.#faults) {
        this.#entries.set(key, this.#faults.retold(key, error.cause));
        return 'landed';
      }
      return error instanceof FlightAbandoned ? 'abandoned' : 'failed';
    }
  }

  /** The call is over: nothing of it stays with a signal that may live for many calls. */
  release(): void {
    if (this.#onAbort) this.#signal.removeEventListener('abort', this.#onAbort);
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

  #whenAborted(): Promise<never> {
    if (!this.#aborted) {
      const { promise, reject } = Promise.withResolvers<never>();
      const abort = () => reject(this.#signal.reason as Error);
      if (this.#signal.aborted) abort();
      else this.#signal.addEventListener('abort', (this.#onAbort = abort), { once: true });
      promise.catch(() => undefined);
      this.#aborted = promise;
    }
    return this.#aborted;
  }
}
