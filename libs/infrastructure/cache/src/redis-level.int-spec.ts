import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RedisConnection, RedisGuard } from '@morgan/redis';
import { freePort, type PrivateRedis, redisCommand, startRedis, waitFor } from '@morgan/testing';
import { cacheConfig } from './cache.config.ts';
import { EmbeddingCache } from './embedding-cache.ts';
import { RedisLevel } from './redis-level.ts';

let redis: PrivateRedis;
let connection: RedisConnection;

beforeAll(async () => {
  redis = await startRedis();
  connection = new RedisConnection({ url: redis.url, commandTimeoutMs: 5_000 });
  connection.start();
  await waitFor(() => connection.read().up, { what: 'redis' });
});
afterAll(async () => {
  await connection.stop();
  await redis[Symbol.asyncDispose]();
});

const embedding = (value: number) => ({ vector: Float32Array.of(value), tokenCount: 3, truncated: true });
const compute = (keys: readonly string[]) => Promise.resolve(keys.map((_, index) => embedding(index)));
const never = () => Promise.reject(new Error('computed'));
const call = { context: { id: 'call', signal: new AbortController().signal } };
const build = (namespace: string, more = {}) =>
  new EmbeddingCache({ redis: connection, config: { namespace, ...more } });
const ttlOf = async (key: string) => Number((await redisCommand(redis.url, `TTL ${key}`)).slice(1));
const isStored = (namespace: string, key: string) =>
  waitFor(async () => (await redisCommand(redis.url, `EXISTS ${namespace}:embedding:${key}`)) === ':1', {
    what: `the entry ${key}`,
  });

describe('the level in Redis', () => {
  it('is shared: what one replica computes another finds, byte for byte', async () => {
    const namespace = randomUUID();
    await build(namespace).resolve(['a', 'b'], compute, call);
    await isStored(namespace, 'b');
    const other = build(namespace);
    const { entries, results } = await other.resolve(['b', 'a'], never, call);
    expect(entries).toEqual([embedding(1), embedding(0)]);
    expect(new Set(results.values())).toEqual(new Set(['redis']));
    const again = await other.resolve(['a'], never, call);
    expect([...again.results.values()]).toEqual(['memory']);
  });

  it.each([
    ['once for all calls of one turn', Array.from({ length: 40 }, (_, call) => [`${call}`, 'all']), 1],
    ['once for 256 keys of a call', [Array.from({ length: 300 }, (_, key) => `${key}`)], 2],
  ])('is asked %s', async (_, calls, times) => {
    const cache = build(randomUUID());
    // It knows how large values are once it has seen one.
    await cache.resolve(['seen'], compute, call);
    await redisCommand(redis.url, 'CONFIG RESETSTAT');
    await Promise.all(calls.map((keys) => cache.resolve(keys, compute, call)));
    expect(await redisCommand(redis.url, 'INFO commandstats')).toContain(`cmdstat_mget:calls=${times},`);
  });

  it('keeps namespaces apart, and purges only its own', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    await build(one).resolve(['a'], compute, call);
    await build(other).resolve(['a'], compute, call);
    await Promise.all([isStored(one, 'a'), isStored(other, 'a')]);
    await expect(build(randomUUID()).resolve(['a'], never, call)).rejects.toThrow('computed');
    expect(await build(one).purge()).toBe(1);
    await expect(build(one).resolve(['a'], never, call)).rejects.toThrow('computed');
    expect((await build(other).resolve(['a'], never, call)).entries).toHaveLength(1);
  });

  it('is in the namespace of its Redis where it has none of its own', async () => {
    const namespace = randomUUID();
    await using other = new RedisConnection({ url: redis.url, namespace });
    other.start();
    await waitFor(() => other.read().up, { what: 'redis' });
    await new EmbeddingCache({ redis: other }).resolve(['a'], compute, call);
    await isStored(namespace, 'a');
    expect((await build(namespace).resolve(['a'], never, call)).entries).toHaveLength(1);
  });

  it('remembers nothing that was read from it while it was being purged', async () => {
    const namespace = randomUUID();
    await build(namespace).resolve(['a'], compute, call);
    await isStored(namespace, 'a');
    const cache = build(namespace);
    const deleteMatching = connection.deleteMatching.bind(connection);
    jest.spyOn(connection, 'deleteMatching').mockImplementationOnce(async (pattern) => {
      await cache.resolve(['a'], never, call);
      return deleteMatching(pattern);
    });
    expect(await cache.purge()).toBe(1);
    await expect(cache.resolve(['a'], never, call)).rejects.toThrow('computed');
  });

  it('remembers nothing of a long look-up that a purge has come into', async () => {
    const namespace = randomUUID();
    const keys = Array.from({ length: 300 }, (_, index) => String(index));
    await build(namespace).resolve(keys, compute, call);
    await isStored(namespace, '299');
    const cache = build(namespace);
    const getBuffers = connection.getBuffers.bind(connection);
    jest
      .spyOn(connection, 'getBuffers')
      .mockImplementationOnce(getBuffers)
      .mockImplementationOnce(async (rest) => {
        await cache.purge();
        return getBuffers(rest);
      });
    const { results } = await cache.resolve(keys, compute, call);
    expect([results.get('0'), results.get('299')]).toEqual(['redis', 'miss']);
    expect([cache.held(['0']), cache.held(['299'])]).toEqual([undefined, undefined]);
  });

  describe('looked into before anything is computed', () => {
    const timesAsked = async () => {
      const stats = await redisCommand(redis.url, 'INFO commandstats');
      return Number(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };

    it('gives and counts what is there, in the order of the keys', async () => {
      const namespace = randomUUID();
      await build(namespace).resolve(['a', 'b'], compute, call);
      await isStored(namespace, 'b');
      const cache = build(namespace);
      await cache.lookUp(['a']);
      const { resolved } = (await cache.lookUp(['b', 'a', 'b'])) ?? {};
      expect(resolved?.entries).toEqual([embedding(1), embedding(0), embedding(1)]);
      expect(resolved?.results).toEqual(
        new Map([
          ['b', 'redis'],
          ['a', 'memory'],
        ]),
      );
      expect(cache.getStatus()).toMatchObject({ hits: 3, misses: 0, entries: 2 });
    });

    it('is not asked again for what it lacks, nor is anything computed that was there', async () => {
      const namespace = randomUUID();
      await build(namespace).resolve(['a'], compute, call);
      await isStored(namespace, 'a');
      const cache = build(namespace, { maxEntries: 1 });
      await redisCommand(redis.url, 'CONFIG RESETSTAT');
      const lookedUp = await cache.lookUp(['a', 'b']);
      expect([lookedUp?.resolved, cache.getStatus().hits]).toEqual([undefined, 0]);
      // Memory has room for one.
      await cache.resolve(['c'], compute, call);
      const asked = await timesAsked();
      const { results } = await cache.resolve(['a', 'b'], compute, { ...call, lookedUp });
      expect([results, await timesAsked()]).toEqual([
        new Map([
          ['a', 'redis'],
          ['b', 'miss'],
        ]),
        asked,
      ]);
      expect(cache.getStatus()).toMatchObject({ hits: 1, misses: 2 });
    });

    it('is not, where a call of this process is about a key, or more is asked for than one command has', async () => {
      const cache = build(randomUUID());
      const computed = Promise.withResolvers<void>();
      const computing = cache.resolve(['a'], (keys) => computed.promise.then(() => compute(keys)), call);
      expect(await cache.lookUp(['b', 'a'])).toBeUndefined();
      computed.resolve();
      await computing;
      expect(await cache.lookUp(Array.from({ length: 257 }, (_, key) => `${key}`))).toBeUndefined();
      expect(await new EmbeddingCache().lookUp(['a'])).toBeUndefined();
    });

    it('is not, where others wait for what they have asked for', async () => {
      const cache = build(randomUUID());
      const keysOf = (call: number) => Array.from({ length: 64 }, (_, key) => `${call} ${key}`);
      const calls = [1, 2, 3].map((each) => cache.resolve(keysOf(each), compute, call));
      await new Promise(setImmediate);
      expect(await cache.lookUp(['a'])).toBeUndefined();
      await Promise.all(calls);
      expect(await cache.lookUp(['a'])).toBeDefined();
    });

    it('leaves nothing in memory of what was read while it was being purged', async () => {
      const namespace = randomUUID();
      await build(namespace).resolve(['a'], compute, call);
      await isStored(namespace, 'a');
      const cache = build(namespace);
      const getBuffers = connection.getBuffers.bind(connection);
      jest.spyOn(connection, 'getBuffers').mockImplementationOnce(async (keys) => {
        const values = await getBuffers(keys);
        await cache.purge();
        return values;
      });
      expect((await cache.lookUp(['a']))?.resolved).toBeDefined();
      expect(cache.held(['a'])).toBeUndefined();
    });
  });

  it('stores with a time to live that varies, and gives what is old and read its full time again', async () => {
    const namespace = randomUUID();
    const old = jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 6_000_000);
    await build(namespace, { ttlSeconds: 10_000 }).resolve(['0'], compute, call);
    old.mockRestore();
    for (const key of ['1', '2'])
      await build(namespace, { ttlSeconds: 10_000 }).resolve([key], compute, call);
    for (const key of ['0', '1', '2']) {
      await isStored(namespace, key);
      const ttl = await ttlOf(`${namespace}:embedding:${key}`);
      expect(ttl).toBeGreaterThan(8_990);
      expect(ttl).toBeLessThanOrEqual(10_000);
    }
    for (const key of ['0', '1']) await redisCommand(redis.url, `EXPIRE ${namespace}:embedding:${key} 100`);
    await build(namespace, { ttlSeconds: 10_000 }).resolve(['0', '1'], never, call);
    await waitFor(async () => (await ttlOf(`${namespace}:embedding:0`)) > 9_000, { what: 'the longer time' });
    // What was stored a moment ago is not even asked about.
    expect(await ttlOf(`${namespace}:embedding:1`)).toBeLessThanOrEqual(100);
  });

  it('keeps an entry for a second at least, and never for good by mistake', async () => {
    const setBuffers = jest.spyOn(connection, 'setBuffers');
    await build(randomUUID(), { ttlSeconds: 1 }).resolve(['a'], compute, call);
    await waitFor(() => setBuffers.mock.calls.length > 0, { what: 'the entry' });
    // Asked of Redis, it might be over before the answer is here.
    const ttlSeconds = setBuffers.mock.lastCall?.[1] as () => number;
    setBuffers.mockRestore();
    expect(new Set(Array.from({ length: 100 }, ttlSeconds))).toEqual(new Set([1]));
  });

  it('keeps an entry for good where it is told to, also when it is read', async () => {
    const namespace = randomUUID();
    const key = `${namespace}:embedding:a`;
    const old = jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 6_000_000);
    await build(namespace, { ttlSeconds: 0 }).resolve(['a'], compute, call);
    old.mockRestore();
    await isStored(namespace, 'a');
    expect(await ttlOf(key)).toBe(-1);
    await build(namespace, { ttlSeconds: 0 }).resolve(['a'], never, call);
    await connection.getBuffers([key]);
    expect(await ttlOf(key)).toBe(-1);
  });

  it('lets what is stored, or read, together expire at different times', async () => {
    const namespace = randomUUID();
    const keys = Array.from({ length: 20 }, (_, index) => String(index));
    const ttls = async () =>
      new Set(await Promise.all(keys.map((key) => ttlOf(`${namespace}:embedding:${key}`))));
    const old = jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 90_000_000);
    await build(namespace, { ttlSeconds: 100_000 }).resolve(keys, compute, call);
    old.mockRestore();
    await isStored(namespace, '19');
    expect((await ttls()).size).toBeGreaterThan(10);
    for (const key of keys) await redisCommand(redis.url, `EXPIRE ${namespace}:embedding:${key} 100`);
    await build(namespace, { ttlSeconds: 100_000 }).resolve(keys, never, call);
    await waitFor(async () => Math.min(...(await ttls())) >= 89_990, { what: 'the longer time' });
    expect((await ttls()).size).toBeGreaterThan(10);
  });

  it('shares what only the memory of this process has where it is told to, and says where that cannot be', async () => {
    const namespace = randomUUID();
    const cache = build(namespace);
    await cache.resolve(['a'], compute, call);
    await isStored(namespace, 'a');
    await redisCommand(redis.url, 'FLUSHALL');
    const share = (key: string) => cache.resolve([key], compute, { ...call, use: 'shared' });
    expect((await share('a')).results.get('a')).toBe('memory');
    expect(await redisCommand(redis.url, `EXISTS ${namespace}:embedding:a`)).toBe(':1');
    await redisCommand(redis.url, 'CONFIG SET maxmemory 1');
    try {
      await expect(share('b')).rejects.toMatchObject({ code: 'cache_unavailable', retryAfterMs: 5_000 });
      await expect(share('b')).rejects.toMatchObject({ code: 'cache_unavailable' });
      expect((await cache.resolve(['b'], never, call)).results.get('b')).toBe('memory');
    } finally {
      await redisCommand(redis.url, 'CONFIG SET maxmemory 0');
    }
    await share('b');
    expect(await redisCommand(redis.url, `EXISTS ${namespace}:embedding:b`)).toBe(':1');
    expect((await new EmbeddingCache().resolve(['c'], compute, { ...call, use: 'shared' })).entries).toEqual([
      embedding(0),
    ]);
  });

  it('shares nothing of what was under way at a purge', async () => {
    const namespace = randomUUID();
    const cache = build(namespace);
    const purging = async (keys: readonly string[]) => {
      await cache.purge();
      return compute(keys);
    };
    await cache.resolve(['a'], purging, { ...call, use: 'shared' });
    expect(await redisCommand(redis.url, `EXISTS ${namespace}:embedding:a`)).toBe(':0');
  });

  it('has nothing in Redis of what was computed while it was being purged', async () => {
    const namespace = randomUUID();
    const cache = build(namespace);
    const purged = Promise.withResolvers<void>();
    const computing = cache.resolve(['a'], (keys) => purged.promise.then(() => compute(keys)), call);
    const deleteMatching = connection.deleteMatching.bind(connection);
    jest.spyOn(connection, 'deleteMatching').mockImplementationOnce(async (pattern) => {
      const deleted = await deleteMatching(pattern);
      purged.resolve();
      await computing;
      return deleted;
    });
    await cache.purge();
    expect(await redisCommand(redis.url, `EXISTS ${namespace}:embedding:a`)).toBe(':0');
    expect([cache.getStatus(), new EmbeddingCache().getStatus()]).toMatchObject([
      { levels: ['memory', 'redis'], entries: 0, bytes: 0 },
      { levels: ['memory'] },
    ]);
  });

  it('stores of two calls in one command what is wanted, and says of which', async () => {
    const namespace = randomUUID();
    const config = cacheConfig.parse({ namespace });
    const level = new RedisLevel(config, { redis: connection, guard: undefined, onFault: () => undefined });
    const store = (key: string, isWanted: boolean) => level.setMany([[key, embedding(1)]], () => isWanted);
    expect(await Promise.all([store('a', false), store('b', true)])).toEqual([false, true]);
    expect(await level.getMany(['a', 'b'])).toEqual([undefined, embedding(1)]);
  });

  it('takes a damaged value for a miss', async () => {
    const namespace = randomUUID();
    await redisCommand(redis.url, `SET ${namespace}:embedding:a damaged`);
    const { results } = await build(namespace).resolve(['a'], compute, call);
    expect([...results.values()]).toEqual(['miss']);
  });

  it('takes a value that was copied from another key for a miss, and stores the right one in its place', async () => {
    const namespace = randomUUID();
    await build(namespace).resolve(['a'], () => Promise.resolve([embedding(7)]), call);
    await isStored(namespace, 'a');
    expect(await redisCommand(redis.url, `COPY ${namespace}:embedding:a ${namespace}:embedding:b`)).toBe(
      ':1',
    );
    const cache = build(namespace);
    const { entries, results } = await cache.resolve(['b', 'a'], compute, call);
    expect(entries).toEqual([embedding(0), embedding(7)]);
    expect([...results.values()].toSorted()).toEqual(['miss', 'redis']);
    await waitFor(async () => (await build(namespace).lookUp(['b']))?.entries.has('b'), {
      what: 'the right value',
    });
  });

  it('leaves no lease behind, also when computing fails', async () => {
    const namespace = randomUUID();
    await expect(build(namespace).resolve(['a'], never, call)).rejects.toThrow('computed');
    await build(namespace).resolve(['b'], compute, call);
    await waitFor(async () => (await redisCommand(redis.url, `KEYS ${namespace}:lease:*`)) === '*0', {
      what: 'no lease',
    });
  });

  it('computes itself when the replica that has the lease does not come back', async () => {
    const namespace = randomUUID();
    await redisCommand(redis.url, `SET ${namespace}:lease:a somebody PX 200`);
    const { results } = await build(namespace, { leaseMs: 60_000 }).resolve(['a'], compute, call);
    expect([...results.values()]).toEqual(['miss']);
  });

  it('ends the wait for another replica with its caller', async () => {
    const namespace = randomUUID();
    await redisCommand(redis.url, `SET ${namespace}:lease:a somebody PX 60000`);
    const caller = new AbortController();
    const waiting = build(namespace, { leaseMs: 60_000 }).resolve(['a'], compute, {
      context: { id: 'call', signal: caller.signal },
    });
    caller.abort(new Error('left'));
    await expect(waiting).rejects.toThrow();
  });

  it('is not asked any more while it is slow', async () => {
    const guard = new RedisGuard({ name: 'cache', timeoutMs: 50, minimumUses: 2, resetTimeoutMs: 3_600_000 });
    const config = { namespace: randomUUID() };
    const guarded = new EmbeddingCache({ redis: connection, config, redisGuard: guard });
    redis.pause();
    try {
      for (let key = 0; key < 3; key += 1)
        expect((await guarded.resolve([String(key)], compute, call)).entries).toEqual([embedding(0)]);
      expect(guard.getStatus()).toMatchObject({ open: true });
      const { failures } = guard.getStatus();
      await guarded.resolve(['more'], compute, call);
      expect(guard.getStatus().failures).toBe(failures);
    } finally {
      redis.resume();
      guard.stop();
    }
  });

  it('is asked again when it is not slow any more', async () => {
    const namespace = randomUUID();
    const guard = new RedisGuard({ name: 'cache', timeoutMs: 50, minimumUses: 2, resetTimeoutMs: 50 });
    const guarded = new EmbeddingCache({ redis: connection, config: { namespace }, redisGuard: guard });
    redis.pause();
    try {
      await waitFor(
        async () => {
          await guarded.resolve([randomUUID()], compute, call);
          return guard.getStatus().open;
        },
        { what: 'the guard to open' },
      );
    } finally {
      redis.resume();
    }
    // Each time another key: what it was told while it was slow it does late.
    await waitFor(
      async () => {
        await guarded.resolve([`again-${randomUUID()}`], compute, call);
        const keys = await redisCommand(redis.url, `KEYS ${namespace}:embedding:again-*`);
        return keys !== '*0' && !guard.getStatus().open;
      },
      { what: 'the guard to close, and an entry' },
    );
    guard.stop();
  });

  it('goes on reading where scripts are forbidden, or nothing more can be stored', async () => {
    const namespace = randomUUID();
    const keys = Array.from({ length: 20 }, (_, index) => String(index));
    await build(namespace).resolve(keys, compute, call);
    await isStored(namespace, '19');
    const guard = new RedisGuard({ name: 'cache', timeoutMs: 60_000 });
    const replica = () => new EmbeddingCache({ redis: connection, config: { namespace }, redisGuard: guard });
    const refusals = [
      ['ACL SETUSER default -@scripting', 'ACL SETUSER default +@all'],
      ['CONFIG SET maxmemory 1', 'CONFIG SET maxmemory 0'],
    ] as const;
    for (const [begin, end] of refusals) {
      await redisCommand(redis.url, begin);
      for (const key of keys) {
        await replica().resolve([`new ${key}`], compute, call);
        expect([...(await replica().resolve([key], never, call)).results.values()]).toEqual(['redis']);
      }
      await redisCommand(redis.url, end);
    }
    expect(guard.getStatus()).toMatchObject({ open: false, failures: 0 });
    guard.stop();
  });

  it('computes while Redis is gone, counts that, and shares again when it is back', async () => {
    const namespace = randomUUID();
    const cache = build(namespace);
    await redis.kill();
    await waitFor(() => !connection.read().up, { what: 'the loss to be noticed' });
    expect((await cache.resolve(['a', 'b'], compute, call)).entries).toEqual([embedding(0), embedding(1)]);
    expect(cache.getStatus().errors).toBeGreaterThanOrEqual(4);
    await redis.restart();
    await waitFor(() => connection.read().up, { what: 'redis to be back' });
    await cache.resolve(['c'], compute, call);
    await isStored(namespace, 'c');
    expect((await build(namespace).resolve(['c'], never, call)).entries).toEqual([embedding(0)]);
  });
});

it('in a Redis Cluster of one shard it has all keys in one slot where the namespace is in braces', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const port = String(await freePort());
  const node = await startRedis('--dir', folder, '--cluster-enabled', 'yes', '--cluster-port', port);
  const client = new RedisConnection({ url: node.url, commandTimeoutMs: 5_000 });
  try {
    await redisCommand(node.url, 'CLUSTER ADDSLOTSRANGE 0 16383');
    const isReady = async () => (await redisCommand(node.url, 'CLUSTER INFO')).includes('cluster_state:ok');
    await waitFor(isReady, { what: 'the cluster' });
    client.start();
    await waitFor(() => client.read().up, { what: 'redis' });
    const cache = () => new EmbeddingCache({ redis: client, config: { namespace: '{morgan}' } });
    const first = cache();
    await first.resolve(['a', 'b', 'c'], compute, call);
    await waitFor(async () => (await redisCommand(node.url, 'DBSIZE')) === ':3', { what: 'the entries' });
    const second = cache();
    const { results } = await second.resolve(['a', 'b', 'c'], never, call);
    expect(new Set(results.values())).toEqual(new Set(['redis']));
    expect([first, second].map((it) => it.getStatus().errors)).toEqual([0, 0]);
    expect(await second.purge()).toBe(3);
  } finally {
    await client.stop();
    await node.kill();
    await rm(folder, { recursive: true });
  }
});
