import type { CallContext, HealthReading } from '@morgan/foundation';
import type {
  EmbeddingInput,
  ModelKind,
  ScoredText,
  SimilarityMetric,
  TextToken,
} from '@morgan/local-embeddings';

export type { EmbeddingInput, ModelKind, ScoredText, TextToken };

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
  /** Hears of each vector as it comes, by its place in the list: those of a call that fails are not lost. */
  readonly onItem?: ((index: number, item: EmbeddedInput) => void) | undefined;
  /** What the caller calls each input: position 3 is `input[3]` in errors. */
  readonly positions: readonly number[];
}

/** How one call wants its texts scored. */
interface ScoreOptions {
  readonly truncate: boolean;
  /** What the caller calls the list of texts, for errors. */
  readonly field: string;
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
  /** Of the content of its files, in hexadecimal digits, where it runs here. */
  readonly digest?: string | undefined;
  readonly dtype?: string | undefined;
  readonly pooling?: string | undefined;
  readonly dimensions?: number | undefined;
  /** The lengths that it was trained to be cut to, where that is known. */
  readonly cutDimensions?: readonly number[] | undefined;
  readonly maxTokens?: number | undefined;
  /** How its vectors are to be compared, where that is known. */
  readonly similarity?: SimilarityMetric | undefined;
  /** Where it drops what is too much of a text. Default: at the end. */
  readonly cutSide?: 'left' | 'right' | undefined;
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
  /** The tokens of each text, uncut. @throws AppError `unsupported_by_model` where they are not known here */
  abstract listTokens(
    texts: readonly string[],
    specials: boolean,
    context: CallContext,
  ): Promise<readonly (readonly TextToken[])[]>;
  /**
   * The vectors of all tokens of each input, one after the other: `tokenCount` of them.
   * @throws AppError `unsupported_by_model` where there are none
   */
  abstract embedTokens(
    inputs: readonly EmbeddingInput[],
    context: CallContext,
    options: Pick<EmbedOptions, 'truncate' | 'prompt'>,
  ): Promise<EmbeddedInput[]>;
  /** Before anything is looked up for a call. @throws AppError `request_loop` where the call is one that this model has sent on itself */
  checkWay?(context: CallContext): void;
  /** What it is for, from its files where it is not loaded. */
  abstract kind(): Promise<ModelKind>;
  /** How well each text answers the query, in the order of the texts. @throws AppError `unsupported_by_model` and others */
  abstract score(
    query: string,
    texts: readonly string[],
    context: CallContext,
    options: ScoreOptions,
  ): Promise<ScoredText[]>;
  /** One vector per input, in their order. @throws AppError */
  abstract embed(
    inputs: readonly EmbeddingInput[],
    context: CallContext,
    options: EmbedOptions,
  ): Promise<EmbeddedInput[]>;
}
