import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Metrics } from '@morgan/telemetry';
import { MemoryEmbeddingCache } from './memory-embedding-cache.ts';

const embedding = (value: number) => ({ vector: Float32Array.of(value), tokenCount: 1, truncated: false });

describe('the cache in memory', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('gives hits and misses in the order of the keys, and counts them', async () => {
    const metrics = new Metrics();
    const cache = new MemoryEmbeddingCache({ maxEntries: 10, ttlSeconds: 0 }, metrics);
    cache.setMany([
      ['a', embedding(1)],
      ['b', embedding(2)],
    ]);
    expect(await cache.getMany(['b', 'none', 'a'])).toEqual([embedding(2), undefined, embedding(1)]);
    expect(cache.getStatus()).toEqual({
      kind: 'memory',
      hits: 2,
      misses: 1,
      errors: 0,
      hitRate: 2 / 3,
      entries: 2,
      evictions: 0,
    });
    const text = await metrics.render();
    expect(text).toContain('morgan_cache_requests_total{result="hit"} 2');
    expect(text).toContain('morgan_cache_requests_total{result="error"} 0');
    expect(text).toContain('morgan_cache_entries 2');
  });

  it('lets the least recently used go first', async () => {
    const metrics = new Metrics();
    const cache = new MemoryEmbeddingCache({ maxEntries: 2, ttlSeconds: 0 }, metrics);
    cache.setMany([
      ['a', embedding(1)],
      ['b', embedding(2)],
    ]);
    cache.setMany([['b', embedding(2)]]);
    await cache.getMany(['a']);
    cache.setMany([['c', embedding(3)]]);
    const [a, b, c] = await cache.getMany(['a', 'b', 'c']);
    expect([a, b, c].map((entry) => entry?.vector[0])).toEqual([1, undefined, 3]);
    expect(cache.getStatus()).toMatchObject({ entries: 2, evictions: 1 });
    expect(await metrics.render()).toContain('morgan_cache_evictions_total 1');
  });

  it('forgets after its time', async () => {
    const cache = new MemoryEmbeddingCache({ maxEntries: 2, ttlSeconds: 60 }, new Metrics());
    // The library takes an entry stored at the very beginning of the clock for one without a time.
    jest.advanceTimersByTime(1);
    cache.setMany([['a', embedding(1)]]);
    jest.advanceTimersByTime(59_000);
    expect(await cache.getMany(['a'])).toEqual([embedding(1)]);
    jest.advanceTimersByTime(2_000);
    expect(await cache.getMany(['a'])).toEqual([undefined]);
  });
});
