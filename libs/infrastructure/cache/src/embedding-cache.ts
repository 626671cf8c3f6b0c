import { AppError, type CallContext, newCall, parseSettings, refuseUnknownOptions } from '@morgan/foundation';
import type { RedisConnection, RedisGuard } from '@morgan/redis';
import { Metrics } from '@morgan/telemetry';
import { type CacheConfig, cacheConfig } from './cache.config.ts';
import { CacheCall, type Compute, type KeyFaults } from './cache-call.ts';
import { CacheCounts, type CacheResult } from './cache-counts.ts';
import type { CachedEmbedding } from './cached-embedding.ts';
import { MemoryLevel } from './memory-level.ts';
import { RedisLevel } from './redis-level.ts';
import type { LookedUp, Resolved } from './resolved.ts';
import { type Flight, SingleFlight } from './single-flight.ts';

/** After which Redis may take vectors again. */
const RETRY_AFTER_MS = 5_000;

/**
 * `shared`: as normal, and all replicas find it afterwards. `no-cache`: computed anew and stored. `no-store`: computed, and no
 * trace of it is left.
 */
export type CacheUse = 'normal' | 'shared' | 'no-cache' | 'no-store';

/** What a cache is made of. */
export interface EmbeddingCacheParts {
  readonly config?: Partial<CacheConfig>;
  /** Shared by the replicas. Without it there is only the level in memory. */
  readonly redis?: RedisConnection | undefined;
  /** Around every command to Redis: one that is slow or fails is then not even asked. */
  readonly redisGuard?: RedisGuard | undefined;
  readonly metrics?: Metrics;
}

/** How a call is to be answered. */
export interface ResolveOptions {
  /** Default: a call of its own. */
  readonly context?: CallContext;
  /** Default: `normal`. */
  readonly use?: CacheUse;
  /** Default: no error is about a key, and each call that meets one computes for itself. */
  readonly faults?: KeyFaults;
  /** What {@link EmbeddingCache.lookUp} has found of the keys: Redis is not asked for them again. */
  readonly lookedUp?: LookedUp | undefined;
}

/** How a cache has fared since it was made. A rate is 0 to 1, and 0 before the first look-up. */
export interface CacheStatus {
  readonly levels: readonly ('memory' | 'redis')[];
  readonly hits: number;
  readonly misses: number;
  readonly coalesced: number;
  readonly bypassed: number;
  readonly errors: number;
  readonly hitRate: number;
  /** In memory. */
  readonly entries: number;
  readonly bytes: number;
  readonly evictions: number;
}

/**
 * Vectors by key in two levels: this process's memory, and Redis for all replicas. A key that several calls want at the
 * same time is computed once, here and, through a short lease in Redis, in all replicas.
 */
export class EmbeddingCache {
  readonly #memory: MemoryLevel;
  readonly #redis: RedisLevel | undefined;
  readonly #flights = new SingleFlight();
  readonly #counts: CacheCounts;
  /** Counted up by a purge: what a call has begun before it is not stored after it. */
  #generation = 0;

  /** @throws ConfigError, which names every setting that is wrong; TypeError for an option that does not exist. */
  constructor({ config, redis, redisGuard, metrics = new Metrics(), ...unknown }: EmbeddingCacheParts = {}) {
    refuseUnknownOptions('EmbeddingCache', unknown);
    const parsed = parseSettings(cacheConfig, config);
    this.#counts = new CacheCounts(metrics);
    this.#memory = new MemoryLevel(parsed, metrics);
    const onFault = (keys: number) => this.#counts.count('error', keys);
    this.#redis = redis && new RedisLevel(parsed, { redis, guard: redisGuard, onFault });
  }

  /** The entries of the keys where this process has all of them: nothing has to be waited for. Counted only then. */
  held(keys: readonly string[]): Resolved | undefined {
    const entries: CachedEmbedding[] = [];
    for (const key of keys) {
      const entry = this.#memory.get(key);
      if (!entry) return undefined;
      entries.push(entry);
    }
    const results = new Map<string, CacheResult>(keys.map((key) => [key, 'memory']));
    this.#counts.count('memory', results.size);
    return { entries, results };
  }

  /**
   * Looks in memory and in Redis, which takes no longer than one command may, so that nobody needs to watch a deadline meanwhile.
   * Nothing where there is no Redis, or it could take longer: a call of this process is about one of the keys, or Redis is to send much.
   */
  async lookUp(keys: readonly string[]): Promise<LookedUp | undefined> {
    if (!this.#redis) return undefined;
    const entries = new Map<string, CachedEmbedding>();
    const results = new Map<string, CacheResult>();
    const take = (key: string, entry: CachedEmbedding, result: CacheResult) => {
      entries.set(key, entry);
      results.set(key, result);
    };
    const missing: string[] = [];
    for (const key of new Set(keys)) {
      const entry = this.#memory.get(key);
      if (entry) take(key, entry, 'memory');
      else if (this.#flights.get(key)) return undefined;
      else missing.push(key);
    }
    const generation = this.#generation;
    const read = await this.#redis.getAtOnce(missing);
    if (!read) return undefined;
    for (const [index, key] of missing.entries()) {
      const entry = read[index];
      if (!entry) continue;
      if (generation === this.#generation) this.#memory.set(key, entry);
      take(key, entry, 'redis');
    }
    if (missing.some((key) => !entries.has(key))) return { entries, results };
    for (const result of results.values()) this.#counts.count(result);
    const resolved = { entries: keys.map((key) => entries.get(key) as CachedEmbedding), results };
    return { entries, results, resolved };
  }

  /**
   * The entries of the keys: found, waited for, or computed, each different key once. When computing some fails the others
   * are stored all the same.
   * @throws what `compute` rejects with, the first error that it gives, the reason of the aborted signal, or AppError
   *   `cache_unavailable` where entries are to be shared and Redis does not take them
   */
  async resolve(
    keys: readonly string[],
    compute: Compute,
    { context = newCall(), use = 'normal', faults, lookedUp }: ResolveOptions = {},
  ): Promise<Resolved> {
    const call = new CacheCall(compute, { context, faults, lookedUp }, this.#generation);
    const wanted = keys.length === 1 ? keys : [...new Set(keys)];
    try {
      if (use === 'normal' || use === 'shared') await this.#collect(wanted, call);
      else await this.#bypass(wanted, call, use);
    } finally {
      call.release();
    }
    if (use === 'shared') await this.#share(wanted, call);
    for (const result of call.results.values()) this.#counts.count(result);
    return { entries: keys.map((key) => call.entryOrThrow(key)), results: call.results };
  }

  /** Empties both levels. @returns the number of entries that Redis had. @throws Error when Redis is gone */
  async purge(): Promise<number> {
    this.#forget();
    try {
      return (await this.#redis?.purge()) ?? 0;
    } finally {
      // Until then calls have found there what they remember here.
      this.#forget();
    }
  }

  getStatus(): CacheStatus {
    const { size: entries, bytes, evictions } = this.#memory;
    const levels = this.#redis ? (['memory', 'redis'] as const) : (['memory'] as const);
    return { levels, ...this.#counts.read(), entries, bytes, evictions };
  }

  async #bypass(keys: readonly string[], call: CacheCall, use: CacheUse): Promise<void> {
    const isKept = use === 'no-cache';
    await call.compute(keys, 'bypass', (key, entry) => isKept && this.#keep([[key, entry]], call));
    if (isKept) this.#store(keys, call);
  }

  async #collect(keys: readonly string[], call: CacheCall): Promise<void> {
    const owned: string[] = [];
    const joined: string[] = [];
    for (const key of keys) {
      if (call.entry(key)) continue;
      const entry = this.#memory.get(key);
      if (entry) call.found(key, entry, 'memory');
      else if (this.#flights.get(key)) joined.push(key);
      else owned.push(key);
    }
    // As nearly always.
    if (joined.length === 0) return this.#fly(owned, call);
    // Ours begin before the first wait, so that nobody computes them meanwhile; both are waited for together, so that two
    // calls that each wait for a vector of the other's end.
    const others = joined.map((key) => [key, this.#flights.get(key) as Flight] as const);
    const [, ...ends] = await Promise.all([
      this.#fly(owned, call),
      ...others.map(([key, flight]) => call.join(key, flight)),
    ]);
    await this.#compute(
      joined.filter((_, index) => ends[index] === 'failed'),
      call,
    );
    const abandoned = joined.filter((_, index) => ends[index] === 'abandoned');
    if (abandoned.length > 0) await this.#collect(abandoned, call);
  }

  /** Begins to answer the keys that this call owns, and those who wait for them: for these it goes on when its caller leaves. */
  async #fly(keys: readonly string[], call: CacheCall): Promise<void> {
    if (keys.length === 0) return;
    const flights = keys.map((key) => this.#flights.begin(key, call.endUnlessAwaited));
    call.owns(flights);
    await call.whileHere(this.#land(keys, flights, call));
  }

  async #land(keys: readonly string[], flights: readonly Flight[], call: CacheCall): Promise<void> {
    let failure: unknown;
    try {
      await (this.#redis ? this.#throughRedis(keys, call, this.#redis) : this.#compute(keys, call));
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      keys.forEach((key, index) => {
        const entry = call.entry(key);
        if (entry) flights[index]?.land(entry);
        else flights[index]?.fail(call.failureOf(key, failure));
      });
    }
  }

  /** One replica computes each key: what nobody else computes is ours, the rest is waited for and claimed again. */
  async #throughRedis(keys: readonly string[], call: CacheCall, redis: RedisLevel): Promise<void> {
    let open = call.isLookedUp ? keys : await this.#lookUp(keys, call, 'redis');
    if (open.length === 0) return;
    const computing: Promise<void>[] = [];
    for (let polls = 0; open.length > 0; polls += 1) {
      if (polls > 0) await redis.pause(polls, call.signal);
      const lease = await redis.claim(open, call.signal);
      await this.#lookUp(lease.there, call, 'coalesced');
      const computed = this.#compute(this.#lacking(lease.ours, call), call).finally(() => {
        // Nobody waits for that here; whoever gets the lease next is to find the values.
        void call.stored.then(() => lease.release());
      });
      // Looked at below: what is under way may end well for others.
      computed.catch(() => undefined);
      computing.push(computed);
      open = this.#lacking(lease.theirs, call);
    }
    const failed = (await Promise.allSettled(computing)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** What has been computed is on its way to Redis; what this process had in memory may be there no more. */
  async #share(keys: readonly string[], call: CacheCall): Promise<void> {
    await call.stored;
    if (!this.#redis || !this.#isCurrent(call)) return;
    const found = await this.#redis.getMany(keys);
    const entries = keys.flatMap((key, index) => {
      const entry = found[index] ? undefined : call.entry(key);
      return entry ? [[key, entry] as const] : [];
    });
    if (await this.#redis.setMany(entries, () => this.#isCurrent(call))) return;
    throw new AppError(
      'cache_unavailable',
      'Redis does not take the vectors that all replicas are to find.',
      {
        retryAfterMs: RETRY_AFTER_MS,
      },
    );
  }

  /** @returns the keys for which Redis has nothing. */
  async #lookUp(keys: readonly string[], call: CacheCall, result: CacheResult): Promise<readonly string[]> {
    const found = (await this.#redis?.getMany(keys)) ?? [];
    return keys.filter((key, index) => !this.#take(key, found[index], call, result));
  }

  #lacking(keys: readonly string[], call: CacheCall): readonly string[] {
    return keys.filter((key) => !call.entry(key));
  }

  #forget(): void {
    this.#generation += 1;
    this.#memory.clear();
    this.#flights.forget();
  }

  /** @returns whether there was an entry. */
  #take(key: string, entry: CachedEmbedding | undefined, call: CacheCall, result: CacheResult): boolean {
    if (!entry) return false;
    if (this.#isCurrent(call)) this.#memory.set(key, entry);
    call.found(key, entry, result);
    return true;
  }

  async #compute(keys: readonly string[], call: CacheCall): Promise<void> {
    if (keys.length === 0) return;
    await call.compute(keys, 'miss', (key, entry) => this.#keep([[key, entry]], call));
    this.#store(keys, call);
  }

  #store(keys: readonly string[], call: CacheCall): void {
    const entries = keys.flatMap((key) => {
      const entry = call.entry(key);
      return entry ? [[key, entry] as const] : [];
    });
    this.#keep(entries, call);
  }

  /** In both levels, unless they were emptied since the call began. */
  #keep(entries: readonly (readonly [string, CachedEmbedding])[], call: CacheCall): void {
    if (!this.#isCurrent(call) || entries.length === 0) return;
    for (const [key, entry] of entries) this.#memory.set(key, entry);
    const stored = this.#redis?.setMany(entries, () => this.#isCurrent(call));
    if (stored) call.stored = Promise.all([call.stored, stored]);
  }

  /** Whether nothing was purged since the call began. */
  #isCurrent({ generation }: CacheCall): boolean {
    return generation === this.#generation;
  }
}
