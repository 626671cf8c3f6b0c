export { cacheConfig } from './cache.config.ts';
export type { Compute, KeyFaults } from './cache-call.ts';
export type { CacheResult } from './cache-counts.ts';
export { type CacheUse, EmbeddingCache } from './embedding-cache.ts';
export { embeddingKeys, type EmbeddingIdentity } from './embedding-key.ts';
