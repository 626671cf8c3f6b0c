export type { EmbeddedItem } from './embedding-job.ts';
export {
  type EmbedOptions,
  LocalEmbeddingModel,
  type LocalEmbeddingModelOptions,
} from './local-embedding-model.ts';
export { localEmbeddingsConfig, type LocalEmbeddingsConfig } from './local-embeddings.config.ts';
export { ModelLoadError } from './model/model-load-error.ts';
export { cosineSimilarity, cutDimensions, toBase64 } from './vectors.ts';
export { normalize } from './model/normalize.ts';
export type { EmbeddingInput, PromptChoice } from './process-protocol.ts';
