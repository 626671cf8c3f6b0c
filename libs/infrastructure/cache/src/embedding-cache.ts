/** What is kept of an embedded input. Treat it as read-only: the cache in memory hands out the same object again. */
export interface CachedEmbedding {
  /** Full dimensions: shorter ones are cut from it when it is read. */
  readonly vector: Float32Array;
  readonly tokenCount: number;
  readonly truncated: boolean;
}

/** How a cache has fared since it was made. */
export interface CacheStatus {
  readonly kind: 'memory' | 'redis';
  readonly hits: number;
  readonly misses: number;
  /** 0 to 1; 0 before the first look-up. */
  readonly hitRate: number;
  readonly errors: number;
  /** Only memory knows: vectors held, expired ones that nobody has asked for since included. */
  readonly entries?: number;
  /** Only memory knows: vectors that had to go because there was no room. */
  readonly evictions?: number;
}

/** Vectors by key. A cache that cannot answer has no entry: it never throws and never keeps a caller waiting. */
export abstract class EmbeddingCache {
  /** The entries of the keys, in their order; undefined where there is none. */
  abstract getMany(keys: readonly string[]): Promise<(CachedEmbedding | undefined)[]>;

  /** Stores entries in the background. */
  abstract setMany(entries: readonly (readonly [string, CachedEmbedding])[]): void;

  abstract getStatus(): CacheStatus;
}
