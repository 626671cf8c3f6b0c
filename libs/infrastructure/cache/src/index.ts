export { cacheConfig, type CacheConfig } from './cache.config.ts';
export type { Compute } from './cache-call.ts';
export type { CacheResult } from './cache-counts.ts';
export type { CachedEmbedding } from './cached-embedding.ts';
export {
  type CacheStatus,
  type CacheUse,
  EmbeddingCache,
  type EmbeddingCacheParts,
  type Resolved,
} from './embedding-cache.ts';
export { embeddingKey, type EmbeddingIdentity } from './embedding-key.ts';
