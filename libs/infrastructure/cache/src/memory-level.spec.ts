import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Metrics } from '@morgan/telemetry';
import { cacheConfig } from './cache.config.ts';
import { MemoryLevel } from './memory-level.ts';

const embedding = (dimensions: number) => ({
  vector: new Float32Array(dimensions),
  tokenCount: 1,
  truncated: false,
});

describe('the level in memory', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    // lru-cache takes a start at 0 for none.
    jest.advanceTimersByTime(1);
  });
  afterEach(() => void jest.useRealTimers());

  const build = (config: Partial<ReturnType<typeof cacheConfig.parse>>) => {
    const metrics = new Metrics();
    const level = new MemoryLevel(cacheConfig.parse(config), metrics);
    return {
      level,
      counted: async () => /^morgan_cache_evictions_total (\d+)$/m.exec(await metrics.render())?.[1],
    };
  };

  it('lets the least recently used go first', async () => {
    const { level, counted } = build({ maxEntries: 2 });
    level.set('a', embedding(1));
    level.set('b', embedding(1));
    level.get('a');
    level.set('c', embedding(1));
    expect(['a', 'b', 'c'].map((key) => level.get(key) !== undefined)).toEqual([true, false, true]);
    expect([level.evictions, await counted()]).toEqual([1, '1']);
  });

  it('is bounded in bytes as well', () => {
    const { level } = build({ maxBytes: 100_000 });
    for (let key = 0; key < 1_000; key += 1) level.set(String(key), embedding(512));
    expect(level.bytes).toBeLessThanOrEqual(100_000);
    expect(level.bytes).toBeGreaterThan(90_000);
    expect(level.size).toBe(Math.floor(100_000 / (2_048 + 400)));
  });

  it('drops what nobody asks for within its time, less up to a tenth, and keeps what is asked for', () => {
    const { level } = build({ ttlSeconds: 100 });
    for (let key = 0; key < 1_000; key += 1) level.set(String(key), embedding(1));
    jest.advanceTimersByTime(89_000);
    level.get('0');
    jest.advanceTimersByTime(6_000);
    const left = Array.from({ length: 999 }, (_, key) => level.get(String(key + 1))).filter(Boolean).length;
    expect(left).toBeGreaterThan(400);
    expect(left).toBeLessThan(600);
    jest.advanceTimersByTime(6_000);
    expect(level.get('0')).toBeDefined();
  });

  it('keeps everything with a time of 0', () => {
    const { level } = build({ ttlSeconds: 0 });
    level.set('a', embedding(1));
    jest.advanceTimersByTime(2 ** 40);
    expect(level.get('a')).toBeDefined();
  });

  it('counts as evicted only what had to go for want of room', async () => {
    const { level, counted } = build({ maxEntries: 2, ttlSeconds: 100 });
    for (const key of ['a', 'a', 'b']) level.set(key, embedding(1));
    jest.advanceTimersByTime(101_000);
    expect(level.get('a')).toBeUndefined();
    level.clear();
    expect([level.size, level.bytes, level.evictions, await counted()]).toEqual([0, 0, 0, '0']);
  });

  it('takes no memory for entries that its bytes have no room for', () => {
    const { level } = build({ maxEntries: 5_000_000_000, maxBytes: 10_000 });
    for (let key = 0; key < 100; key += 1) level.set(String(key), embedding(1));
    expect(level.size).toBeLessThan(25);
    expect(level.bytes).toBeLessThanOrEqual(10_000);
  });
});
