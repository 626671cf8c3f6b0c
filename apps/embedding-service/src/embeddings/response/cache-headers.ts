import type { CacheResult, CacheUse } from '@morgan/cache';

/** Says how the cache answered: `hit`, `coalesced`, `partial`, `miss` or `bypass`. */
export const CACHE_HEADER = 'x-morgan-cache';

/** Results for which the model was not run for this request. */
export const HITS: ReadonlySet<CacheResult> = new Set(['memory', 'redis', 'coalesced']);

/** Reads a request's `cache-control`; `no-store` is the stronger one. Other directives say nothing to this cache. */
export function cacheUseOf(header: string | undefined): CacheUse {
  const directives = (header ?? '').split(',').map((directive) => directive.trim().toLowerCase());
  if (directives.includes('no-store')) return 'no-store';
  return directives.includes('no-cache') ? 'no-cache' : 'normal';
}

/** The value of {@link CACHE_HEADER}: `coalesced` where nothing was computed here and something was waited for. */
export function summaryOf(results: readonly CacheResult[]): string {
  if (results.includes('bypass')) return 'bypass';
  const hits = results.filter((result) => HITS.has(result)).length;
  if (hits < results.length) return hits === 0 ? 'miss' : 'partial';
  return results.includes('coalesced') ? 'coalesced' : 'hit';
}
