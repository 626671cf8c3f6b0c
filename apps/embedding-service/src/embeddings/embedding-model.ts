import type { CallContext } from '@morgan/foundation';

/** A text, or the token ids of one. */
export type EmbeddingInput = string | readonly number[];

/** The vector of one input. */
export interface EmbeddedInput {
  /** Full dimensions. */
  readonly vector: Float32Array;
  readonly tokenCount: number;
  /** Whether the input was cut to the limit of the model. */
  readonly truncated: boolean;
}

/** How one call wants its inputs treated. */
export interface EmbedOptions {
  readonly truncate: boolean;
  /** What the caller calls each input: position 3 is `input[3]` in errors. */
  readonly positions: readonly number[];
}

/** What this service needs of a model, wherever that runs. A class, because Nest injects by it. */
export abstract class EmbeddingModel {
  /** The id under which it is served. */
  abstract readonly id: string;
  /** When it was loaded, in seconds since 1970; 0 before that. */
  abstract readonly loadedAt: number;
  /** Whether a call that does not say so has its texts cut. */
  abstract readonly truncatesByDefault: boolean;
  /** Length of a vector. @throws AppError `model_loading` */
  abstract readonly dimensions: number;
  /** Everything whose change changes vectors: the start of every cache key. @throws AppError `model_loading` */
  abstract fingerprint(): string;
  /** What of an input its vector depends on: inputs that share it share their vector. @throws AppError `model_loading` */
  abstract significantPart(input: EmbeddingInput): EmbeddingInput;
  /** One vector per input, in their order. @throws AppError */
  abstract embed(
    inputs: readonly EmbeddingInput[],
    context: CallContext,
    options: EmbedOptions,
  ): Promise<EmbeddedInput[]>;
}
