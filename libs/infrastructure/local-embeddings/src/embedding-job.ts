import type { AppError } from '@morgan/foundation';
import type { EmbeddingInput } from './process-protocol.ts';

/** The vector of one input. */
export interface EmbeddedItem {
  /** Full dimensions, as the model gives them. */
  readonly vector: Float32Array;
  /** Tokens that the model has read, special tokens included. */
  readonly tokenCount: number;
  /** Whether the text was cut to the limit. */
  readonly truncated: boolean;
}

/** What one call asks for. */
export interface JobRequest {
  readonly inputs: readonly EmbeddingInput[];
  /** Whether an input above the limit is cut; otherwise it is refused. */
  readonly truncate: boolean;
  /** Names an input in errors. */
  readonly paramOf: (position: number) => string;
}

/** What the model is fed for one input. */
export interface InputRow {
  readonly ids: readonly number[];
  readonly truncated: boolean;
}

/** Tries that an input gets: with others, then alone. */
const MOST_TRIES = 2;

/** One call to the model on its way: what is known of its inputs, and the results in their order. */
export class EmbeddingJob {
  readonly done: Promise<EmbeddedItem[]>;
  readonly #rows: (InputRow | undefined)[];
  readonly #results: (EmbeddedItem | undefined)[];
  readonly #tries: Uint8Array;
  readonly #outcome = Promise.withResolvers<EmbeddedItem[]>();
  #left: number;
  #settled = false;

  constructor(readonly request: JobRequest) {
    const count = request.inputs.length;
    this.#left = count;
    this.#rows = new Array<InputRow | undefined>(count).fill(undefined);
    this.#results = new Array<EmbeddedItem | undefined>(count).fill(undefined);
    this.#tries = new Uint8Array(count);
    this.done = this.#outcome.promise;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** What the model is fed for an input; known once it is tokenised. */
  rowOf(position: number): InputRow {
    const row = this.#rows[position];
    if (!row) throw new Error('the input has not been tokenised');
    return row;
  }

  tokenised(position: number, row: InputRow): void {
    this.#rows[position] = row;
  }

  complete(position: number, vector: Float32Array): void {
    const { ids, truncated } = this.rowOf(position);
    this.#results[position] = { vector, tokenCount: ids.length, truncated };
    this.#rows[position] = undefined;
    this.#left -= 1;
    if (this.#left === 0) this.#settle(() => this.#outcome.resolve(this.#results as EmbeddedItem[]));
  }

  /** Counts a failed try of an input and says whether it may be tried again. */
  mayRetry(position: number): boolean {
    const tries = (this.#tries[position] ?? 0) + 1;
    this.#tries[position] = tries;
    return tries < MOST_TRIES;
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
