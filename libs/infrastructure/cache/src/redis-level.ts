import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type RedisConnection, type RedisGuard, RedisScript } from '@morgan/redis';
import type { CacheConfig } from './cache.config.ts';
import type { CachedEmbedding } from './cached-embedding.ts';
import { ageSecondsOf, decodeEmbedding, encodeEmbedding } from './embedding-codec.ts';
import { JoinedCommands } from './joined-commands.ts';
import { CLAIM, type Claimed, FREE, Lease, RELEASE, RENEW, RENEWALS } from './lease.ts';
import { TransferBudget } from './transfer-budget.ts';
import { jittered } from './ttl-jitter.ts';

/** Gives entries that were read their full time again, each its own. */
const EXTEND = new RedisScript(`
  for index, key in ipairs(KEYS) do
    if redis.call('TTL', key) * 2 < tonumber(ARGV[index]) then redis.call('EXPIRE', key, ARGV[index]) end
  end`);

/** Bytes of the values of one command: 2 ms on a line of 1 Gbit/s, where those of a whole call may take longer than a command may. */
const COMMAND_BYTES = 262_144;
/** Values of one command at most, however small they are. */
const COMMAND_KEYS = 256;
/** Leases of one script, while which Redis answers nobody else. */
const SCRIPT_KEYS = 256;
/** Of a value, before one was seen: one of 1,024 dimensions. */
const UNKNOWN_BYTES = 4_096;
/** Commands of full size that are under way at a time: while one is answered, the next is on its way. */
const COMMANDS_AT_A_TIME = 2;
const FIRST_POLL_MS = 5;
const LONGEST_POLL_MS = 100;
const POLL_GROWTH = 1.5;
/** Of a claim that was none. */
const OVER: Promise<unknown> = Promise.resolve();

/** A value that is to be stored. */
interface Value {
  readonly key: string;
  readonly bytes: Buffer;
  readonly isWanted: () => boolean;
}

/** What {@link RedisLevel} works with. */
interface RedisLevelParts {
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
  readonly #namespace: string;
  /** Marks the leases of this process, with the number of the claim. */
  readonly #process = randomUUID();
  #claims = 0;
  readonly #budget = new TransferBudget(COMMANDS_AT_A_TIME * COMMAND_BYTES);
  readonly #lookups = new JoinedCommands(
    () => this.#keysPerCommand,
    (keys: readonly string[]) => this.#read(keys),
  );
  readonly #stores = new JoinedCommands(
    () => this.#keysPerCommand,
    (values: readonly Value[]) => this.#store(values),
  );
  readonly #taken = new JoinedCommands(
    () => SCRIPT_KEYS,
    (keys: readonly string[]) => this.#take(keys),
  );
  readonly #released = new JoinedCommands(
    () => SCRIPT_KEYS,
    (claimed: readonly Claimed[]) => this.#release(claimed),
  );
  /** Of the largest value that was seen. */
  #valueBytes = 0;

  constructor(config: CacheConfig, parts: RedisLevelParts) {
    this.#config = config;
    this.#parts = parts;
    this.#namespace = config.namespace ?? parts.redis.namespace;
  }

  /**
   * The entries of the keys in their order, undefined where there is none: one `MGET` for as many keys as have {@link COMMAND_BYTES},
   * so that a large request does not look like a slow Redis, and one for all calls that ask in the same turn of the event loop. Those
   * that are read and old get their full time again.
   */
  async getMany(keys: readonly string[]): Promise<(CachedEmbedding | undefined)[]> {
    const found: (CachedEmbedding | undefined)[] = [];
    while (found.length < keys.length) {
      const next = keys.slice(found.length, found.length + this.#keysPerCommand);
      found.push(...(await this.#lookups.run(next)));
    }
    return found;
  }

  /** {@link getMany} where one command has all of the keys and nothing else waits for Redis; else undefined. */
  getAtOnce(keys: readonly string[]): Promise<readonly (CachedEmbedding | undefined)[]> | undefined {
    if (keys.length > this.#keysPerCommand || this.#budget.isBusy) return undefined;
    return this.#lookups.run(keys);
  }

  async #read(keys: readonly string[]): Promise<(CachedEmbedding | undefined)[]> {
    const read = () => this.#parts.redis.getBuffers(keys.map(this.#valueKey));
    const bytes = keys.length * (this.#valueBytes || UNKNOWN_BYTES);
    const values = await this.#budget.run(bytes, () => this.#ask(keys.length, read));
    if (!values) return keys.map(() => undefined);
    for (const value of values) this.#saw(value);
    const { vectorFormat } = this.#config;
    const found = keys.map((key, index) => {
      const bytes = values[index];
      return bytes ? decodeEmbedding(key, bytes, vectorFormat) : undefined;
    });
    this.#extend(keys.filter((_, index) => found[index] && this.#isOld(values[index] as Buffer)));
    return found;
  }

  /**
   * Stores, as much at a time as one command may have, in one for all calls that store in the same turn of the event loop; nobody needs
   * to wait for it.
   * @param isWanted asked before each command
   * @returns whether Redis has taken all of them
   */
  async setMany(
    entries: readonly (readonly [string, CachedEmbedding])[],
    isWanted: () => boolean,
  ): Promise<boolean> {
    let isStored = true;
    for (let start = 0; start < entries.length;) {
      const values = this.#encode(entries.slice(start, start + COMMAND_KEYS), isWanted);
      isStored = (await this.#stores.run(values)).every(Boolean) && isStored;
      start += values.length;
    }
    return isStored;
  }

  /** The first of the entries, as many as one command may have. */
  #encode(entries: readonly (readonly [string, CachedEmbedding])[], isWanted: () => boolean): Value[] {
    const { vectorFormat } = this.#config;
    const values: Value[] = [];
    let length = 0;
    for (const [key, embedding] of entries) {
      if (length >= COMMAND_BYTES) break;
      const bytes = encodeEmbedding(key, embedding, vectorFormat);
      this.#saw(bytes);
      values.push({ key: this.#valueKey(key), bytes, isWanted });
      length += bytes.length;
    }
    return values;
  }

  /** @returns which of them Redis has taken */
  async #store(values: readonly Value[]): Promise<boolean[]> {
    let wanted = new Set<Value>();
    const store = () =>
      this.#parts.redis
        .setBuffers(
          Array.from(wanted, ({ key, bytes }) => [key, bytes] as const),
          this.#ttlSeconds,
        )
        .then(() => true);
    const ask = async () => {
      wanted = new Set(values.filter(({ isWanted }) => isWanted()));
      return wanted.size > 0 && ((await this.#ask(wanted.size, store)) ?? false);
    };
    const length = values.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const isStored = await this.#budget.run(length, ask);
    return values.map((value) => isStored && wanted.has(value));
  }

  #saw(value: Buffer | null): void {
    if (value) this.#valueBytes = Math.max(this.#valueBytes, value.length);
  }

  get #keysPerCommand(): number {
    const keys = Math.floor(COMMAND_BYTES / (this.#valueBytes || UNKNOWN_BYTES));
    return Math.min(Math.max(keys, 1), COMMAND_KEYS);
  }

  /**
   * Asks for the right to compute. Every key is granted wherever Redis does not say no.
   * @param signal of the call: once it is aborted nothing is renewed any more, whatever computing does
   */
  async claim(keys: readonly string[], signal: AbortSignal): Promise<Lease> {
    const { leaseMs } = this.#config;
    if (leaseMs === 0) return new Lease(keys.map((key) => ({ key, state: FREE, owner: '', over: OVER })));
    const claimed: Claimed[] = [];
    for (const part of inParts(keys)) claimed.push(...(await this.#taken.run(part)));
    // One after the other: a script that Redis does not know yet is sent twice, and another could overtake it.
    let last = claimed.at(-1)?.over ?? OVER;
    const send = (ours: readonly Claimed[], command: (part: readonly Claimed[]) => Promise<unknown>) => {
      for (const part of inParts(ours)) last = last.then(() => command(part));
    };
    return new Lease(claimed, {
      everyMs: leaseMs / RENEWALS,
      renew: (ours) => {
        if (!signal.aborted) send(ours, (part) => this.#renew(part));
      },
      release: (ours) => send(ours, (part) => this.#released.run(part)),
    });
  }

  /** The keys, each claimed where it is free. */
  async #take(keys: readonly string[]): Promise<Claimed[]> {
    const owner = `${this.#process}:${(this.#claims += 1)}`;
    let over: Promise<unknown> = OVER;
    const states = await this.#ask(keys.length, () => {
      const both = [...keys.map(this.#leaseKey), ...keys.map(this.#valueKey)];
      const claim = this.#parts.redis.run(CLAIM, both, [owner, this.#config.leaseMs]);
      over = claim.catch(() => undefined);
      return claim;
    });
    const stateOf = (index: number) => (Array.isArray(states) ? Number(states[index]) : FREE);
    return keys.map((key, index) => ({ key, state: stateOf(index), owner, over }));
  }

  // Past the guard: nobody here waits for these, but others do.
  #renew(claimed: readonly Claimed[]): Promise<unknown> {
    const operands = [...claimed.map(({ owner }) => owner), this.#config.leaseMs];
    return this.#parts.redis.run(RENEW, this.#leasesOf(claimed), operands).catch(() => undefined);
  }

  async #release(claimed: readonly Claimed[]): Promise<readonly undefined[]> {
    const owners = claimed.map(({ owner }) => owner);
    await this.#parts.redis.run(RELEASE, this.#leasesOf(claimed), owners).catch(() => undefined);
    return claimed.map(() => undefined);
  }

  #leasesOf(claimed: readonly Claimed[]): string[] {
    return claimed.map(({ key }) => this.#leaseKey(key));
  }

  /**
   * The pause before leases of other replicas are asked for once more, longer each time. Rejects with the reason of the signal when
   * that is aborted, which Node's own pause does not.
   * @param polls that there were
   */
  async pause(polls: number, signal: AbortSignal): Promise<void> {
    const pauseMs = Math.min(FIRST_POLL_MS * POLL_GROWTH ** polls, LONGEST_POLL_MS);
    await delay(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  /** Deletes all entries of the namespace. @returns how many. @throws Error when Redis is gone */
  purge(): Promise<number> {
    return this.#parts.redis.deleteMatching(this.#valueKey('*'));
  }

  readonly #valueKey = (key: string) => `${this.#namespace}:embedding:${key}`;
  readonly #leaseKey = (key: string) => `${this.#namespace}:lease:${key}`;

  /** Of one entry. At least a second: 0 keeps it for good. */
  readonly #ttlSeconds = () => {
    const { ttlSeconds } = this.#config;
    return ttlSeconds === 0 ? 0 : Math.max(1, Math.floor(jittered(ttlSeconds)));
  };

  /** What is young has most of its time before it, and is not asked about. */
  #isOld(bytes: Buffer): boolean {
    return ageSecondsOf(bytes) * 2 > this.#config.ttlSeconds;
  }

  #extend(keys: readonly string[]): void {
    if (keys.length === 0 || this.#config.ttlSeconds === 0) return;
    void this.#ask(keys.length, () =>
      this.#parts.redis.run(EXTEND, keys.map(this.#valueKey), keys.map(this.#ttlSeconds)).then(() => true),
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

function inParts<Item>(items: readonly Item[]): (readonly Item[])[] {
  const count = Math.ceil(items.length / SCRIPT_KEYS);
  return Array.from({ length: count }, (_, part) =>
    items.slice(part * SCRIPT_KEYS, (part + 1) * SCRIPT_KEYS),
  );
}
