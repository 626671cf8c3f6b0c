import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisConnection } from '@morgan/redis';
import { type PrivateRedis, redisCommand, startRedis, waitFor } from '@morgan/testing';
import { EmbeddingCache } from './embedding-cache.ts';

let redis: PrivateRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
});

const embedding = (value: number) => ({ vector: Float32Array.of(value), tokenCount: 3, truncated: true });
const compute = (keys: readonly string[]) => Promise.resolve(keys.map((_, index) => embedding(index)));
const never = () => Promise.reject(new Error('computed'));
const call = { context: { id: 'call', signal: new AbortController().signal } };

/** Knows how many values are under way at a time, and holds the pieces that are stored up where a test wants it. */
class WatchedConnection extends RedisConnection {
  most = 0;
  pieces = 0;
  readonly scriptKeys: number[] = [];
  beforePiece: (piece: number) => unknown = () => undefined;
  afterPiece: (piece: number) => unknown = () => undefined;
  #now = 0;

  override getBuffers(keys: readonly string[]): Promise<(Buffer | null)[]> {
    return this.#counted(keys.length, () => super.getBuffers(keys));
  }

  override async setBuffers(...[entries, ttl]: Parameters<RedisConnection['setBuffers']>): Promise<void> {
    const piece = (this.pieces += 1);
    await this.beforePiece(piece);
    await this.#counted(entries.length, () => super.setBuffers(entries, ttl));
    await this.afterPiece(piece);
  }

  override run(...[script, keys, operands]: Parameters<RedisConnection['run']>): Promise<unknown> {
    this.scriptKeys.push(keys.length);
    return super.run(script, keys, operands);
  }

  async #counted<Result>(values: number, command: () => Promise<Result>): Promise<Result> {
    this.#now += values;
    this.most = Math.max(this.most, this.#now);
    try {
      return await command();
    } finally {
      this.#now -= values;
    }
  }
}

describe('a call of many long vectors', () => {
  const VALUES = 16_384;
  const keys = Array.from({ length: 40 }, (_, index) => String(index));
  const long = (wanted: readonly string[]) =>
    Promise.resolve(
      wanted.map((key) => ({ ...embedding(0), vector: new Float32Array(VALUES).fill(Number(key)) })),
    );
  const hasEnded = (namespace: string) =>
    waitFor(async () => (await redisCommand(redis.url, `EXISTS ${namespace}:lease:39`)) === ':0', {
      what: 'the end of the lease',
    });
  let watched: WatchedConnection;
  let namespace: string;
  const replica = () => new EmbeddingCache({ redis: watched, config: { namespace } });

  beforeEach(async () => {
    namespace = randomUUID();
    watched = new WatchedConnection({ url: redis.url, commandTimeoutMs: 5_000 });
    watched.start();
    await waitFor(() => watched.read().up, { what: 'redis' });
  });
  afterEach(() => watched.stop());

  it('is stored and read half a megabyte at a time, so that no answer takes long', async () => {
    const writer = replica();
    // Before the first one it does not know how large values are.
    await writer.resolve(['0'], long, call);
    watched.most = 0;
    await writer.resolve(keys, long, call);
    await hasEnded(namespace);
    expect(watched.most).toBeLessThanOrEqual(8);
    const reader = replica();
    await reader.resolve(['0'], never, call);
    watched.most = 0;
    const { entries } = await reader.resolve(keys, never, call);
    expect(entries.map(({ vector }) => vector[VALUES - 1])).toEqual(keys.map(Number));
    expect(watched.most).toBeLessThanOrEqual(8);
  });

  it('has the lease of each of its keys, by scripts that hold Redis up for no longer than those of 256', async () => {
    const many = Array.from({ length: 600 }, (_, index) => String(index));
    const leases = many.map((key) => `${namespace}:lease:${key}`).join(' ');
    const held = () => redisCommand(redis.url, `EXISTS ${leases}`);
    let during = '';
    const short = async (wanted: readonly string[]) => {
      during = await held();
      return compute(wanted);
    };
    await replica().resolve(many, short, call);
    expect(during).toBe(':600');
    await waitFor(async () => (await held()) === ':0', { what: 'the end of all leases' });
    // A claim names the value of each as well.
    expect(watched.scriptKeys).toEqual([512, 512, 176, 256, 256, 88]);
  });

  it('keeps its lease until all of them are there, and does not wait for that', async () => {
    const gate = Promise.withResolvers<void>();
    watched.beforePiece = (piece) => (piece === 2 ? gate.promise : undefined);
    await replica().resolve(keys, long, call);
    const other = replica().resolve(['39'], never, call);
    await waitFor(() => watched.pieces === 2, { what: 'the second piece' });
    expect(await redisCommand(redis.url, `EXISTS ${namespace}:lease:39`)).toBe(':1');
    gate.resolve();
    expect([...(await other).results.values()]).toEqual(['coalesced']);
    await hasEnded(namespace);
  });

  it('stores nothing more after a purge', async () => {
    const cache = replica();
    watched.afterPiece = () => cache.purge();
    await cache.resolve(keys, long, call);
    await hasEnded(namespace);
    expect(watched.pieces).toBe(1);
    await expect(replica().resolve(['0'], never, call)).rejects.toThrow('computed');
  });
});
