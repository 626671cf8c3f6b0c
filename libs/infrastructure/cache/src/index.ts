export { cacheConfig, type CacheConfig } from './cache.config.ts';
export type { Compute, KeyFaults } from './cache-call.ts';
export type { CacheResult } from './cache-counts.ts';
export {
  type CacheStatus,
  type CacheUse,
  EmbeddingCache,
  type EmbeddingCacheParts,
  type ResolveOptions,
} from './embedding-cache.ts';
export type { LookedUp, Resolved } from './resolved.ts';
export type { CachedEmbedding } from './cached-embedding.ts';
export { embeddingKeys, type EmbeddingIdentity } from './embedding-key.ts';
