import type { CallContext, HealthReading } from '@morgan/foundation';

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
  /** What stands before every text; the model's default prompt when undefined. */
  readonly prompt?: string | undefined;
  /** What the caller calls each input: position 3 is `input[3]` in errors. */
  readonly positions: readonly number[];
}

/** The prompts that a model was trained with. */
export interface ModelPrompts {
  readonly byName: Readonly<Record<string, string>>;
  /** The name of the one that stands before a text unless a call says otherwise. */
  readonly byDefault?: string | undefined;
}

/** What is known of a model; figures are there once it is loaded. */
export interface ModelDescription {
  readonly backend?: string | undefined;
  readonly revision?: string | undefined;
  readonly dtype?: string | undefined;
  readonly pooling?: string | undefined;
  readonly dimensions?: number | undefined;
  readonly maxTokens?: number | undefined;
}

/** What this service needs of a model, wherever that runs. */
export abstract class EmbeddingModel {
  /** Of the health indicator. */
  abstract readonly name: string;
  abstract readonly required: boolean;
  /** The id under which it is served. */
  abstract readonly id: string;
  /** When it was loaded, in seconds since 1970; 0 before that. */
  abstract readonly loadedAt: number;
  /** Whether a call that does not say so has its texts cut. */
  abstract readonly truncatesByDefault: boolean;
  /** Length of a vector. @throws AppError `model_loading` */
  abstract readonly dimensions: number;
  /** @throws AppError `model_loading` */
  abstract readonly prompts: ModelPrompts;
  abstract load(): Promise<void>;
  abstract unload(): Promise<void>;
  abstract getInfo(): ModelDescription;
  /** What it does right now. */
  abstract getStatus(): { readonly queueLength: number };
  /** Whether it can answer. */
  abstract read(): HealthReading;
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
