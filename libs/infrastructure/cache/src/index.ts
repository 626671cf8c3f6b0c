export { cacheConfig, type CacheConfig } from './cache.config.ts';
export { createEmbeddingCache } from './create-embedding-cache.ts';
export { type CachedEmbedding, type CacheStatus, EmbeddingCache } from './embedding-cache.ts';
export { embeddingKey } from './embedding-key.ts';
