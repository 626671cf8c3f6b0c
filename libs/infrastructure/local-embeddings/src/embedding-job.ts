import { AppError } from '@morgan/foundation';
import type { BatchItem } from './worker-protocol.ts';

/** What a caller who was turned away should wait before the next try. */
export const RETRY_AFTER_MS = 1_000;

/** The vector of one input. */
export interface EmbeddedItem {
  /** Full dimensions, as the model gives them. */
  readonly vector: Float32Array;
  /** Tokens that the model has read, special tokens included. */
  readonly tokenCount: number;
  /** Whether the text was cut to the limit. */
  readonly truncated: boolean;
}

/** One call to the model on its way through the queue: collects its results in the order of its inputs. */
export class EmbeddingJob {
  /** Positions in `items` that no worker has taken yet, in the order in which they should leave. */
  readonly waiting: number[];
  readonly done: Promise<EmbeddedItem[]>;
  /** After a failed try the texts of a job leave one by one, so that a bad text fails alone. */
  isolated = false;
  readonly #results: (EmbeddedItem | undefined)[];
  readonly #tries: Uint8Array;
  readonly #outcome = Promise.withResolvers<EmbeddedItem[]>();
  #left: number;
  #settled = false;

  /** @param paramOf names an input in errors. */
  constructor(
    readonly items: readonly BatchItem[],
    readonly paramOf: (position: number) => string,
  ) {
    this.#left = items.length;
    this.#results = new Array<EmbeddedItem | undefined>(items.length).fill(undefined);
    this.#tries = new Uint8Array(items.length);
    // Texts of like length leave together, so that little of a batch is padding.
    const lengths = items.map(({ input }) => input.length);
    this.waiting = items
      .map((_, index) => index)
      .sort((a, b) => (lengths[a] as number) - (lengths[b] as number));
    this.done = this.#outcome.promise;
  }

  get settled(): boolean {
    return this.#settled;
  }

  complete(position: number, item: EmbeddedItem): void {
    this.#results[position] = item;
    this.#left -= 1;
    if (this.#left === 0) this.#settle(() => this.#outcome.resolve(this.#results as EmbeddedItem[]));
  }

  /** Counts a failed try of an input and says whether it may be tried again. */
  mayRetry(position: number): boolean {
    const tries = (this.#tries[position] ?? 0) + 1;
    this.#tries[position] = tries;
    return tries < 2;
  }

  fail(error: AppError): void {
    this.#settle(() => this.#outcome.reject(error));
  }

  #settle(how: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    how();
  }
}
