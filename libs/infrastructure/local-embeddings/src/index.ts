export type { EmbeddedItem } from './scheduling/embedding-job.ts';
export { LocalEmbeddingModel } from './local-embedding-model.ts';
export type {
  EmbedOptions,
  LocalEmbeddingModelOptions,
  ScoredText,
  ScoreOptions,
} from './local-embedding-model.options.ts';
export { memoryCeiling, ModelMemory, NoRoomError } from './model-memory.ts';
export { localEmbeddingsConfig, type LocalEmbeddingsConfig } from './local-embeddings.config.ts';
export { ModelLoadError } from './model/model-load-error.ts';
export { cosineSimilarity, cutDimensions, toBase64 } from './vectors.ts';
export { normalize } from './model/normalize.ts';
export type { TextToken } from './model/tokenizer/token-encoder.ts';
export {
  type ModelKind,
  type PromptChoice,
  SIMILARITY_METRICS,
  type SimilarityMetric,
} from './model/embedding-model.types.ts';
export type { EmbeddingInput } from './processes/process-protocol.ts';
