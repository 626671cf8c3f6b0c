import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@morgan/foundation';
import { RedisConnection } from '@morgan/redis';
import { Metrics } from '@morgan/telemetry';
import { type PrivateRedis, startRedis, waitFor } from '@morgan/testing';
import { RedisEmbeddingCache } from './redis-embedding-cache.ts';

const embedding = (...values: number[]) => ({
  vector: Float32Array.from(values),
  tokenCount: 3,
  truncated: false,
});

let redis: PrivateRedis;
let connection: RedisConnection;

beforeAll(async () => {
  redis = await startRedis();
  connection = new RedisConnection({ url: redis.url, commandTimeoutMs: 100 }, silentLogger);
  connection.start();
  await waitFor(() => connection.read().up, { what: 'redis' });
});

afterAll(async () => {
  await connection.stop();
  await redis[Symbol.asyncDispose]();
});

const build = (ttlSeconds = 60) =>
  new RedisEmbeddingCache({ maxEntries: 1, ttlSeconds }, connection, new Metrics());
const stored = (key: string) =>
  waitFor(async () => (await connection.getBuffers([key]))[0], { what: 'the write in the background' });

describe('the cache in Redis', () => {
  it('is shared: what one stores another finds', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    build().setMany([
      [a, embedding(1, 2, 3)],
      [b, embedding(4)],
    ]);
    await stored(b);
    const other = build();
    expect(await other.getMany([b, 'none', a])).toEqual([embedding(4), undefined, embedding(1, 2, 3)]);
    expect(other.getStatus()).toEqual({ kind: 'redis', hits: 2, misses: 1, errors: 0, hitRate: 2 / 3 });
  });

  it('takes a damaged value for a miss', async () => {
    const key = randomUUID();
    await connection.setBuffers([[key, Buffer.from('not an embedding')]], 60);
    expect(await build().getMany([key])).toEqual([undefined]);
  });

  it('is all misses while Redis is gone, counted as errors, and works again when it is back', async () => {
    const cache = build();
    await redis.kill();
    await waitFor(() => !connection.read().up, { what: 'the loss to be noticed' });
    expect(await cache.getMany(['a', 'b'])).toEqual([undefined, undefined]);
    cache.setMany([['a', embedding(1)]]);
    await waitFor(() => cache.getStatus().errors === 3, { what: 'the failed write to be counted' });
    await redis.restart();
    await waitFor(() => connection.read().up, { what: 'redis to be back' });
    const key = randomUUID();
    cache.setMany([[key, embedding(5)]]);
    await stored(key);
    expect(await cache.getMany([key])).toEqual([embedding(5)]);
  });
});
