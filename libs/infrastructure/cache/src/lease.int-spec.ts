import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RedisConnection, RedisGuard } from '@morgan/redis';
import { type PrivateRedis, redisCommand, RUN_SOURCES, startRedis, waitFor } from '@morgan/testing';
import { EmbeddingCache } from './embedding-cache.ts';
import { CLAIM, RELEASE } from './lease.ts';

const LEASE_MS = 1_000;

let redis: PrivateRedis;
let connection: RedisConnection;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  redis = await startRedis();
  connection = new RedisConnection({ url: redis.url, commandTimeoutMs: 5_000 });
  connection.start();
  await waitFor(() => connection.read().up, { what: 'redis' });
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await redisCommand(redis.url, 'FLUSHALL');
});
afterAll(async () => {
  await connection.stop();
  await redis[Symbol.asyncDispose]();
});

const call = { context: { id: 'call', signal: new AbortController().signal } };
const never = () => Promise.reject(new Error('computed'));
const build = (namespace: string, leaseMs = LEASE_MS) =>
  new EmbeddingCache({ redis: connection, config: { namespace, leaseMs } });
/** @param keys with a space between them: one of them is enough. */
const exists = async (keys: string) => (await redisCommand(redis.url, `EXISTS ${keys}`)) !== ':0';

/** Counts what it computes, and takes so long for it. */
function computing(ms: number) {
  const work = {
    computed: 0,
    compute: async (keys: readonly string[]) => {
      work.computed += keys.length;
      await delay(ms);
      return keys.map(() => ({ vector: Float32Array.of(1), tokenCount: 1, truncated: false }));
    },
  };
  return work;
}

describe('a lease', () => {
  it('lasts as long as computing takes, without a gap', async () => {
    const namespace = randomUUID();
    const work = computing(LEASE_MS * 2.5);
    let isOver = false;
    const first = build(namespace).resolve(['a'], work.compute, call);
    void first.finally(() => (isOver = true));
    await waitFor(() => exists(`${namespace}:lease:a`), { what: 'the lease' });
    const second = build(namespace).resolve(['a'], work.compute, call);
    while (!isOver) expect(await exists(`${namespace}:lease:a ${namespace}:embedding:a`)).toBe(true);
    const { results } = await second;
    expect([work.computed, results.get('a')]).toEqual([1, 'coalesced']);
  });

  it('is none where nobody is to wait', async () => {
    const namespace = randomUUID();
    const caches = [build(namespace, 0), build(namespace, 0)];
    const value = { vector: Float32Array.of(1), tokenCount: 1, truncated: false };
    const both = Promise.withResolvers<void>();
    let computing = 0;
    const compute = async () => {
      computing += 1;
      if (computing === caches.length) both.resolve();
      await both.promise;
      return [value];
    };
    const resolved = await Promise.all(caches.map((cache) => cache.resolve(['a'], compute, call)));
    expect(resolved.map(({ entries }) => entries)).toEqual([[value], [value]]);
    expect(await exists(`${namespace}:lease:a`)).toBe(false);
    expect(caches.map((cache) => cache.getStatus().errors)).toEqual([0, 0]);
  });

  it('is there again after Redis has lost it', async () => {
    const namespace = randomUUID();
    const work = computing(LEASE_MS * 2.5);
    const first = build(namespace).resolve(['a'], work.compute, call);
    const isTaken = () => exists(`${namespace}:lease:a`);
    await waitFor(isTaken, { what: 'the lease' });
    await redisCommand(redis.url, 'FLUSHALL');
    await waitFor(isTaken, { what: 'the lease once more' });
    await build(namespace).resolve(['a'], never, call);
    await first;
  });

  it('that ends without a value goes to one of those who wait', async () => {
    const namespace = randomUUID();
    await redisCommand(redis.url, `SET ${namespace}:lease:a somebody PX ${LEASE_MS}`);
    const work = computing(LEASE_MS / 2);
    const all = await Promise.all(
      Array.from({ length: 3 }, () => build(namespace).resolve(['a'], work.compute, call)),
    );
    expect(work.computed).toBe(1);
    expect(all.map(({ results }) => results.get('a')).sort()).toEqual(['coalesced', 'coalesced', 'miss']);
  });

  it('of somebody else is waited for until the caller leaves, for the reason that the caller has', async () => {
    const namespace = randomUUID();
    await redisCommand(redis.url, `SET ${namespace}:lease:a somebody PX 60000`);
    const caller = new AbortController();
    const reason = new Error('no time left');
    const result = build(namespace).resolve(['a'], never, {
      context: { id: 'call', signal: caller.signal },
    });
    setTimeout(() => caller.abort(reason), 100);
    await expect(result).rejects.toBe(reason);
  });

  it('is not used where the value has come between look-up and claim', async () => {
    const namespace = randomUUID();
    const getBuffers = connection.getBuffers.bind(connection);
    jest.spyOn(connection, 'getBuffers').mockImplementationOnce(async (keys) => {
      const none = await getBuffers(keys);
      await build(namespace).resolve(['a'], computing(0).compute, call);
      await waitFor(async () => !(await exists(`${namespace}:lease:a`)), { what: 'the end of the lease' });
      return none;
    });
    const { results } = await build(namespace).resolve(['a'], never, call);
    expect(results.get('a')).toBe('coalesced');
    await waitFor(async () => !(await exists(`${namespace}:lease:a`)), { what: 'no lease' });
  });

  it('is not kept up for a caller that has left, whatever computing does', async () => {
    const namespace = randomUUID();
    const caller = new AbortController();
    const hangs = () => new Promise<never>(() => undefined);
    const leaving = build(namespace).resolve(['a'], hangs, {
      context: { id: 'call', signal: caller.signal },
    });
    await waitFor(() => exists(`${namespace}:lease:a`), { what: 'the lease' });
    caller.abort();
    await expect(leaving).rejects.toThrow('aborted');
    const patient = { context: { id: 'call', signal: AbortSignal.timeout(10_000) } };
    const { results } = await build(namespace).resolve(['a'], computing(0).compute, patient);
    expect(results.get('a')).toBe('miss');
  });

  it('is given back also where Redis had been too slow to grant it, and is not asked for anything else', async () => {
    const namespace = randomUUID();
    const redisGuard = new RedisGuard({
      name: 'cache',
      timeoutMs: 50,
      minimumUses: 1,
      errorThresholdPercentage: 10,
      resetTimeoutMs: 60_000,
    });
    ends.push(() => redisGuard.stop());
    const run = connection.run.bind(connection);
    // It has to be sent a second time, as text.
    const claimed = Promise.withResolvers<void>();
    const spy = jest.spyOn(connection, 'run').mockImplementation(async (script, ...rest) => {
      // Another test's lease may be given back meanwhile.
      if (script !== CLAIM) return run(script, ...rest);
      await delay(200);
      return run(script, ...rest).finally(claimed.resolve);
    });
    ends.push(() => spy.mockRestore());
    const cache = new EmbeddingCache({
      redis: connection,
      redisGuard,
      config: { namespace, leaseMs: 60_000 },
    });
    await cache.resolve(['a'], computing(0).compute, call);
    expect(redisGuard.getStatus()).toMatchObject({ open: true });
    await claimed.promise;
    await waitFor(async () => !(await exists(`${namespace}:lease:a`)), { what: 'no lease' });
  });

  it('of calls of the same turn is asked for, and given back, with one command, and what they compute stored with one', async () => {
    const namespace = randomUUID();
    const cache = build(namespace);
    const [run, store] = [jest.spyOn(connection, 'run'), jest.spyOn(connection, 'setBuffers')];
    ends.push(() => [run, store].forEach((spy) => spy.mockRestore()));
    const keys = Array.from({ length: 20 }, (_, number) => `key ${number}`);
    const leases = keys.map((key) => `${namespace}:lease:${key}`);
    const all = Promise.withResolvers<void>();
    let computing = 0;
    const compute = async ([key = '']: readonly string[]) => {
      computing += 1;
      if (computing === keys.length) all.resolve();
      await all.promise;
      return [{ vector: Float32Array.of(Number(key.split(' ')[1])), tokenCount: 1, truncated: false }];
    };
    const resolved = await Promise.all(keys.map((key) => cache.resolve([key], compute, call)));
    expect(resolved.map(({ entries }) => entries[0]?.vector[0])).toEqual(keys.map((_, number) => number));
    const isOver = () => run.mock.calls.some(([script]) => script === RELEASE);
    await waitFor(isOver, { what: 'the release' });
    await connection.getBuffers(['whatever came before this has been done']);
    const keysOf = (wanted: unknown) =>
      run.mock.calls.flatMap(([script, names]) => (script === wanted ? [names] : []));
    expect(keysOf(CLAIM).map((names) => names.slice(0, keys.length))).toEqual([leases]);
    expect(keysOf(RELEASE)).toEqual([leases]);
    expect(store.mock.calls.map(([values]) => values.length)).toEqual([keys.length]);
    const values = await build(namespace).lookUp(keys);
    expect(values?.resolved?.entries.map(({ vector }) => vector[0])).toEqual(keys.map((_, number) => number));
    for (const lease of leases) expect(await redisCommand(redis.url, `EXISTS "${lease}"`)).toBe(':0');
  });

  it('is of the call that took it: an older call of the same process gives back its own only', async () => {
    const namespace = randomUUID();
    const cache = build(namespace, 60_000);
    const isTaken = () => exists(`${namespace}:lease:a`);
    const [old, young] = [computing(LEASE_MS / 2), computing(LEASE_MS * 2)];
    const first = cache.resolve(['a'], old.compute, call);
    await waitFor(isTaken, { what: 'the first lease' });
    await cache.purge();
    await redisCommand(redis.url, 'FLUSHALL');
    const second = cache.resolve(['a'], young.compute, call);
    await waitFor(isTaken, { what: 'the second lease' });
    await first;
    await connection.getBuffers(['whatever came before this has been done']);
    expect(await isTaken()).toBe(true);
    await second;
  });
});

describe('three replicas', () => {
  /** @returns what each prints, line by line, and its process */
  async function startReplicas(computeMs: number, leaseMs: number) {
    const program = join(import.meta.dirname, '../fixture/replica.ts');
    const replicas = Array.from({ length: 3 }, () => {
      const operands = [redis.url, '333', String(computeMs), String(leaseMs)];
      const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [
        ...RUN_SOURCES,
        program,
        ...operands,
      ]);
      child.stderr.pipe(process.stderr);
      ends.push(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
      });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async () => String((await lines.next()).value);
      const report = async () => JSON.parse(await next()) as { computed: number; right: number };
      return { child, next, report, go: () => child.stdin.write('go\n') };
    });
    for (const { next } of replicas) expect(await next()).toBe('ready');
    return replicas;
  }

  it('compute once what a thousand calls want at the same time', async () => {
    const replicas = await startReplicas(200, 60_000);
    for (const { go } of replicas) go();
    const reports = await Promise.all(replicas.map(({ report }) => report()));
    expect(reports.reduce((sum, { computed }) => sum + computed, 0)).toBe(3);
    expect(reports.map(({ right }) => right)).toEqual([333, 333, 333]);
  });

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'compute it once more where the first that began is ended by %s',
    async (signal) => {
      const [first, ...others] = await startReplicas(1_000, 1_000);
      first?.go();
      await waitFor(() => exists('fleet:lease:1'), { what: 'the lease of the first' });
      first?.child.kill(signal);
      for (const { go } of others) go();
      const reports = await Promise.all(others.map(({ report }) => report()));
      expect(reports.reduce((sum, { computed }) => sum + computed, 0)).toBe(3);
      expect(reports.map(({ right }) => right)).toEqual([333, 333]);
      if (signal === 'SIGKILL') return;
      first?.child.kill('SIGCONT');
      expect(await first?.report()).toEqual({ computed: 3, right: 333 });
    },
  );
});
