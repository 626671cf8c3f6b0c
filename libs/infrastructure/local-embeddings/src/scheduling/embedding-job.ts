import type { AppError, ListPlace } from '@morgan/foundation';
import type { WaitingTokens } from './admission.ts';
import type { Line } from './fair-queue.ts';
import type { PromptChoice, TokenRow } from '../model/embedding-model.types.ts';
import type { EmbeddingInput, TextPart, TokenWindow } from '../processes/process-protocol.ts';

/** The vector of one input. */
export interface EmbeddedItem {
  /** Full dimensions, as the model gives them; those of all tokens where they were asked for. */
  readonly vector: Float32Array;
  /** Tokens that the model has read, special tokens included. */
  readonly tokenCount: number;
  /** Whether the text was cut to the limit. */
  readonly truncated: boolean;
}

/** What one call asks for. */
export interface JobRequest extends PromptChoice {
  /** Whether the vectors of all tokens are wanted, one after the other, and not one for each input. */
  readonly perToken?: boolean;
  readonly inputs: readonly EmbeddingInput[];
  /** What every input is read together with, for cross-encoders. */
  readonly query?: string | undefined;
  /** Whose call it is: callers take turns. None: it is one among all calls without. */
  readonly caller?: string | undefined;
  /** Whether an input above the limit is cut; otherwise it is refused. */
  readonly truncate: boolean;
  /** Hears of each vector as it comes, also of a call that fails then. */
  readonly onItem?: ((position: number, item: EmbeddedItem) => void) | undefined;
  /** Names an input in errors. */
  readonly paramOf: (position: number) => string;
}

/** Tries that an input gets: with others, then alone. */
const MOST_TRIES = 2;

/** One call to the model on its way: what is known of its inputs, and the results in their order. */
export class EmbeddingJob {
  readonly done: Promise<EmbeddedItem[]>;
  /** Its lines, one in each queue in which something of it waits. Queues keep them here, as a `Map` of jobs would hold those that are over. */
  readonly lines: ListPlace<Line>[] = [];
  /** Its place in the admission, which keeps it here for the same reason. */
  admitted: ListPlace<WaitingTokens> | undefined;
  readonly #windows: (TokenWindow | undefined)[];
  readonly #results: (EmbeddedItem | undefined)[];
  readonly #tries: Uint8Array;
  #tokens = 0;
  readonly #outcome = Promise.withResolvers<EmbeddedItem[]>();
  #left: number;
  #settled = false;

  constructor(readonly request: JobRequest) {
    const count = request.inputs.length;
    this.#left = count;
    this.#windows = new Array<TokenWindow | undefined>(count).fill(undefined);
    this.#results = new Array<EmbeddedItem | undefined>(count).fill(undefined);
    this.#tries = new Uint8Array(count);
    this.done = this.#outcome.promise;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Whether it is known what tokens the model is fed for an input. */
  isTokenised(position: number): boolean {
    return this.#windows[position] !== undefined;
  }

  /** What the model is fed for an input: tokens, or a short text as it is. */
  rowOf(position: number): TokenRow | TextPart {
    const window = this.#windows[position];
    if (window) return window.row;
    const { inputs, promptName, prompt } = this.request;
    return { text: inputs[position] as string, more: false, promptName, prompt };
  }

  /** Whether an input was cut; one whose tokens nobody has looked at was not. */
  isTruncated(position: number): boolean {
    return this.#windows[position]?.truncated ?? false;
  }

  tokenised(position: number, window: TokenWindow): void {
    this.#windows[position] = window;
    this.#tokens += window.row.ids.length;
  }

  /** Of the inputs that are tokenised. */
  get tokens(): number {
    return this.#tokens;
  }

  /** @param tokenCount tokens that the model has read */
  complete(position: number, vector: Float32Array, tokenCount: number): void {
    const item = { vector, tokenCount, truncated: this.isTruncated(position) };
    this.#results[position] = item;
    this.request.onItem?.(position, item);
    this.#windows[position] = undefined;
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
