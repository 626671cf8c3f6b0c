import type { CacheResult } from './cache-counts.ts';
import type { CachedEmbedding } from './cached-embedding.ts';

/** The entries of a call, and how each of its different keys was answered. */
export interface Resolved {
  /** In the order of the keys asked for. */
  readonly entries: readonly CachedEmbedding[];
  readonly results: ReadonlyMap<string, CacheResult>;
}

/** What there is already of the keys of a call, by key. */
export interface LookedUp {
  readonly entries: ReadonlyMap<string, CachedEmbedding>;
  readonly results: ReadonlyMap<string, CacheResult>;
  /** Where that is all of them. */
  readonly resolved?: Resolved;
}
