import type { Logger } from '@morgan/foundation';
import type { HttpClientOptions } from '@morgan/http-client';
import type { Metrics } from '@morgan/telemetry';
import type { z } from 'zod';
import type { localEmbeddingsConfig } from './local-embeddings.config.ts';
import type { ModelMemory } from './model-memory.ts';
import type { PromptChoice } from './model/embedding-model.types.ts';
import type { EmbeddedItem } from './scheduling/embedding-job.ts';

/** What a model is made with. */
export interface LocalEmbeddingModelOptions {
  /** What differs from the defaults of `localEmbeddingsConfig`. */
  readonly config?: z.input<typeof localEmbeddingsConfig>;
  /** Where the build put the bundled model; without it there is none. */
  readonly bundledModelDir?: string | undefined;
  /** What names the model, for errors. Default: `config.model`. */
  readonly setting?: string;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /** Default: nobody reads them. Several models may share them. */
  readonly metrics?: Metrics;
  /** The way to a hub at an `https:` URL. Default: none is between. */
  readonly proxy?: HttpClientOptions['proxy'];
  /** Shared by the models of one process. Default: as `memoryLimitMb` says, and no other model. */
  readonly memory?: ModelMemory;
}

/** How one call wants its inputs treated. */
export interface EmbedOptions extends PromptChoice {
  /** Cut inputs above the limit, or refuse them. Default: as configured. */
  readonly truncate?: boolean | undefined;
  /** What the caller calls each input, for errors: position 3 is `input[3]`. Default: its place in the list. */
  readonly positions?: readonly number[] | undefined;
  /** Hears of each vector as it comes, by its place in the list: those of a call that fails are not lost. */
  readonly onItem?: ((index: number, item: EmbeddedItem) => void) | undefined;
}

/** How one call wants its texts scored. */
export interface ScoreOptions {
  /** As for `embed`. */
  readonly truncate?: boolean | undefined;
  /** What the caller calls the list of texts, for errors. Default: `texts`. */
  readonly field?: string | undefined;
}

/** How well a text answers a query. */
export interface ScoredText {
  /** As the model gives it, higher is better: a logit, which the logistic function maps to 0 to 1. */
  readonly score: number;
  /** Tokens that the model has read, of query and text together. */
  readonly tokenCount: number;
  /** Whether either was cut to fit. */
  readonly truncated: boolean;
}
