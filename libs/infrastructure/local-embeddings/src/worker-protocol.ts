import type { ModelInfo, ModelOptions, VectorFault } from './model/embedding-model.types.ts';

/** What a worker is started with. */
export interface WorkerOptions {
  /** Where the files of the model are. */
  readonly folder: string;
  readonly model: ModelOptions;
}

/** A text, or the token ids of one. */
export type EmbeddingInput = string | readonly number[];

/** One input of a batch. */
export interface BatchItem {
  readonly input: EmbeddingInput;
  /** Whether an input above the limit is cut; otherwise it is only counted. */
  readonly truncate: boolean;
}

/** What a worker tells about a batch. */
export interface BatchResult {
  /** Row after row; an input that was only counted has no row. */
  readonly vectors: Float32Array<ArrayBuffer>;
  /** Rows of `vectors` that are none. */
  readonly faults: readonly VectorFault[];
  /** Tokens of every input before any cut. */
  readonly tokenCounts: readonly number[];
  readonly dimensions: number;
  readonly maxTokens: number;
  readonly inferenceMs: number;
}

/** Main thread to worker. */
export type WorkerRequest =
  | { readonly type: 'batch'; readonly id: number; readonly items: readonly BatchItem[] }
  | { readonly type: 'stop' };

/** Worker to main thread. */
export type WorkerMessage =
  | { readonly type: 'loaded'; readonly info: ModelInfo }
  | { readonly type: 'load-failed'; readonly reason: string }
  | ({ readonly type: 'result'; readonly id: number } & BatchResult)
  | { readonly type: 'batch-failed'; readonly id: number; readonly reason: string };
