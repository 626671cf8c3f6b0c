import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type RedisConnection, type RedisGuard, RedisScript } from '@morgan/redis';
import type { CacheConfig } from './cache.config.ts';
import type { CachedEmbedding } from './cached-embedding.ts';
import { ageSecondsOf, decodeEmbedding, encodeEmbedding } from './embedding-codec.ts';
import { JoinedLookups } from './joined-lookups.ts';
import { jittered } from './ttl-jitter.ts';

/** Takes the leases that nobody has. One number a key: 1 where it was free. */
const CLAIM = new RedisScript(`
  local taken = {}
  for index, key in ipairs(KEYS) do
    taken[index] = redis.call('SET', key, ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
  end
  return taken`);

/** Gives back the leases that are still ours. */
const RELEASE = new RedisScript(`
  for _, key in ipairs(KEYS) do
    if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end
  end`);

/** Gives entries that were read their full time again. */
const EXTEND = new RedisScript(`
  for _, key in ipairs(KEYS) do
    if redis.call('TTL', key) * 2 < tonumber(ARGV[1]) then redis.call('EXPIRE', key, ARGV[1]) end
  end`);

const MGET_KEYS = 256;
const FIRST_POLL_MS = 5;
const LONGEST_POLL_MS = 100;

/** What {@link RedisLevel} works with. */
export interface RedisLevelParts {
  readonly redis: RedisConnection;
  /** Around every command: a Redis that is slow or gone is then not even asked. */
  readonly guard: RedisGuard | undefined;
  /** Told of each command that failed, with the number of keys in it. */
  readonly onFault: (keys: number) => void;
}

/**
 * The vectors that all replicas share, and the leases with which one of them computes while the others wait. While Redis
 * is gone or slow everything is a miss and every lease is granted: nothing here throws, nothing waits for Redis longer than
 * its command timeout.
 */
export class RedisLevel {
  readonly #parts: RedisLevelParts;
  readonly #config: CacheConfig;
  /** Marks the leases of this process. */
  readonly #owner = randomUUID();
  readonly #lookups = new JoinedLookups(MGET_KEYS, (keys) => this.#read(keys));

  constructor(config: CacheConfig, parts: RedisLevelParts) {
    this.#config = config;
    this.#parts = parts;
  }

  /**
   * The entries of the keys in their order, undefined where there is none: one `MGET` for every {@link MGET_KEYS} keys, so that
   * a large request does not look like a slow Redis, and one for all calls that ask in the same turn of the event loop. Those that
   * are read and old get their full time again.
   */
  async getMany(keys: readonly string[]): Promise<(CachedEmbedding | undefined)[]> {
    const found: (CachedEmbedding | undefined)[] = [];
    for (let start = 0; start < keys.length; start += MGET_KEYS)
      found.push(...(await this.#lookups.get(keys.slice(start, start + MGET_KEYS))));
    return found;
  }

  async #read(keys: readonly string[]): Promise<(CachedEmbedding | undefined)[]> {
    const values = await this.#ask(keys.length, () => this.#parts.redis.getBuffers(keys.map(this.#valueKey)));
    if (!values) return keys.map(() => undefined);
    const { vectorFormat } = this.#config;
    const found = values.map((bytes) => (bytes === null ? undefined : decodeEmbedding(bytes, vectorFormat)));
    this.#extend(keys.filter((_, index) => found[index] && this.#isOld(values[index] as Buffer)));
    return found;
  }

  /** Stores in the background: one pipeline. */
  setMany(entries: readonly (readonly [string, CachedEmbedding])[]): void {
    const { vectorFormat } = this.#config;
    const encoded = entries.map(
      ([key, embedding]) => [this.#valueKey(key), encodeEmbedding(embedding, vectorFormat)] as const,
    );
    // At least a second: 0 would keep them for good.
    const ttlSeconds =
      this.#config.ttlSeconds === 0 ? 0 : Math.max(1, Math.floor(jittered(this.#config.ttlSeconds)));
    void this.#ask(entries.length, () => this.#parts.redis.setBuffers(encoded, ttlSeconds));
  }

  /** Asks for the right to compute. @returns for each key whether this process has it; true wherever Redis does not say no. */
  async claim(keys: readonly string[]): Promise<readonly boolean[]> {
    const { leaseMs } = this.#config;
    if (leaseMs === 0) return keys.map(() => true);
    const taken = await this.#ask(keys.length, () =>
      this.#parts.redis.run(CLAIM, keys.map(this.#leaseKey), [this.#owner, leaseMs]),
    );
    return keys.map((_, index) => !Array.isArray(taken) || taken[index] !== 0);
  }

  /** Gives up leases in the background. */
  release(keys: readonly string[]): void {
    if (keys.length === 0 || this.#config.leaseMs === 0) return;
    void this.#ask(keys.length, () =>
      this.#parts.redis.run(RELEASE, keys.map(this.#leaseKey), [this.#owner]).then(() => true),
    );
  }

  /**
   * Waits while another replica computes. @returns the entries that came; undefined where its lease ended without one, or
   * Redis went. Rejects with the reason of an aborted signal.
   */
  async awaitOthers(keys: readonly string[], signal: AbortSignal): Promise<(CachedEmbedding | undefined)[]> {
    const found = new Map<string, CachedEmbedding>();
    let open = [...keys];
    const until = performance.now() + this.#config.leaseMs;
    for (let pollMs = FIRST_POLL_MS; open.length > 0; pollMs = Math.min(pollMs * 1.5, LONGEST_POLL_MS)) {
      await delay(pollMs * (0.5 + Math.random()), undefined, { signal });
      const leases = await this.#ask(open.length, () =>
        this.#parts.redis.getBuffers(open.map(this.#leaseKey)),
      );
      // Leases first: a value that is stored just before its lease is given back is not missed.
      const values = await this.getMany(open);
      values.forEach((value, index) => value && found.set(open[index] as string, value));
      open = open.filter((key, index) => !found.has(key) && leases?.[index]);
      if (performance.now() >= until) break;
    }
    return keys.map((key) => found.get(key));
  }

  /** Deletes all entries of the namespace. @returns how many. @throws Error when Redis is gone */
  purge(): Promise<number> {
    return this.#parts.redis.deleteMatching(`${this.#config.namespace}:embedding:*`);
  }

  readonly #valueKey = (key: string) => `${this.#config.namespace}:embedding:${key}`;
  readonly #leaseKey = (key: string) => `${this.#config.namespace}:lease:${key}`;

  /** What is young has most of its time before it, and is not asked about. */
  #isOld(bytes: Buffer): boolean {
    return ageSecondsOf(bytes) * 2 > this.#config.ttlSeconds;
  }

  #extend(keys: readonly string[]): void {
    if (keys.length === 0 || this.#config.ttlSeconds === 0) return;
    void this.#ask(keys.length, () =>
      this.#parts.redis.run(EXTEND, keys.map(this.#valueKey), [this.#config.ttlSeconds]).then(() => true),
    );
  }

  /** Undefined where the command failed or was not let through. */
  #ask<Reply>(keys: number, command: () => Promise<Reply>): Promise<Reply | undefined> {
    const { guard, onFault } = this.#parts;
    // The connection logs that it is gone, the guard that it is open; here only the counts need to know.
    const miss = () => {
      onFault(keys);
      return undefined;
    };
    return guard ? guard.run<Reply | undefined>(command, miss) : command().catch(miss);
  }
}
