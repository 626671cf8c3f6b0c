import { setImmediate } from 'node:timers/promises';
import {
  backoffMs,
  type HealthIndicator,
  type HealthReading,
  type Logger,
  parseSettings,
  silentLogger,
} from '@morgan/foundation';
import { Redis } from 'ioredis';
import type { z } from 'zod';
import { nameFault } from './name-fault.ts';
import type { RedisScript } from './redis-script.ts';
import { redisConnectionConfig } from './redis.config.ts';

const RECONNECT = { firstMs: 50, longestMs: 2_000 };
const CONNECT_TIMEOUT_MS = 2_000;
const DISCONNECT_TIMEOUT_MS = 100;
/** Keys that one step of a scan looks at. */
const SCAN_COUNT = 500;

/** A server that refuses writes again, though it was left for it, is not left again for so long: it can still be read from. */
const READ_ONLY_MS = 5_000;

/** How often a server that takes connections and refuses everything is asked again. */
const GREETING_INTERVAL_MS = 1_000;
/** Answers to PING of a server that is of no use yet: it loads its data, or wants a password that the URL does not have. */
const UNREADY = /^(LOADING|NOAUTH)\b/;

/** A server that was asked and has said nothing for so many command timeouts is given up and connected anew. */
const SILENT_TIMEOUTS = 3;

/** Where Redis is, how patient to be with it, and whose keys are there: `url`; `commandTimeoutMs`, 100, and `namespace`, `morgan` by default. */
export interface RedisConnectionOptions extends z.input<typeof redisConnectionConfig> {
  readonly logger?: Logger | undefined;
}

/**
 * One connection to Redis that may be gone at any time: commands then fail at once or within the command timeout, and
 * the connection comes back by itself. Nothing waits for Redis, not even a start.
 */
export class RedisConnection implements HealthIndicator, AsyncDisposable {
  readonly name = 'redis';
  /** The services work without Redis, only slower. */
  readonly required = false;
  /** What the keys begin with of those who share this Redis with others. They put it there themselves. */
  readonly namespace: string;
  readonly #client: Redis;
  readonly #logger: Logger;
  #up: boolean | undefined;
  #stopping = false;
  #greeting: NodeJS.Timeout | undefined;
  /** Refusals of this time without Redis that were told of. */
  readonly #told = new Set<string | undefined>();
  #lastFault: string | undefined;
  #leftAt = -Infinity;
  #hasNoDatabase = false;

  /** @throws ConfigError, which names every setting that is wrong or unknown and shows none of their values. */
  constructor({ logger = silentLogger, ...settings }: RedisConnectionOptions) {
    const { url, commandTimeoutMs, namespace } = parseSettings(redisConnectionConfig, settings);
    this.#logger = logger;
    this.namespace = namespace;
    this.#client = new Redis(url, {
      lazyConnect: true,
      commandTimeout: commandTimeoutMs,
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENT_TIMEOUTS * commandTimeoutMs,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      // A command without a connection fails at once; waiting for one would make every request wait.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      // Redis became a replica: a new connection may lead to the server that takes writes now.
      reconnectOnError: ({ message }) => message.includes('READONLY') && this.#mayLeave(),
      // It asks for INFO, which proxies and hardened servers do not know: it would never be ready there.
      enableReadyCheck: false,
      retryStrategy: (attempt) => backoffMs(attempt - 1, RECONNECT),
    });
    this.#client.on('ready', () => void this.#greet());
    this.#client.on('close', () => this.#turned(false));
    this.#client.on('connect', () => (this.#hasNoDatabase = false));
    this.#client.on('error', (error: Error) => this.#failed(error));
  }

  /** Begins to connect, and to reconnect for as long as it takes. Waits for nothing. Once: called again, or after a stop, it does nothing. */
  start(): void {
    if (this.#client.status !== 'wait' || this.#stopping) return;
    this.#client.connect().catch(() => this.#turned(false));
  }

  /** Sends QUIT, and disconnects after the command timeout if Redis does not answer. Calls fail from then on. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#greeting);
    // Commands that are joined at the end of this turn of the event loop still go.
    await setImmediate();
    if (this.#client.status !== 'ready') this.#client.disconnect();
    else await this.#client.quit().catch(() => this.#client.disconnect());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The values of keys, null where there is none: one round trip. @throws Error when Redis is gone or slow */
  getBuffers(keys: readonly string[]): Promise<(Buffer | null)[]> {
    // Redis takes no such command without a key.
    if (keys.length === 0) return Promise.resolve([]);
    return this.#client.mgetBuffer(...keys);
  }

  /**
   * Stores values in one round trip. @param ttlSeconds whole seconds; 0: for good; a function is asked for each value.
   * @throws Error when Redis is gone or slow, or refuses a time that is none, such as one below 0
   */
  async setBuffers(
    entries: readonly (readonly [string, Buffer])[],
    ttlSeconds: number | (() => number),
  ): Promise<void> {
    const pipeline = this.#client.pipeline();
    for (const [key, value] of entries) {
      const ttl = typeof ttlSeconds === 'number' ? ttlSeconds : ttlSeconds();
      if (ttl === 0) pipeline.set(key, value);
      else pipeline.set(key, value, 'EX', ttl);
    }
    const results = await pipeline.exec();
    const fault = results?.find(([error]) => error)?.[0];
    if (fault) throw fault;
  }

  /**
   * Runs a script in one round trip, or two after Redis has forgotten it. For Redis Cluster the keys must share a hash
   * tag. @throws Error when Redis is gone or slow
   */
  run(
    { digest, source }: RedisScript,
    keys: readonly string[],
    operands: readonly (string | number)[],
  ): Promise<unknown> {
    const rest = [...keys, ...operands];
    return this.#client.evalsha(digest, keys.length, ...rest).catch((error: unknown) => {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#client.eval(source, keys.length, ...rest);
    });
  }

  /**
   * Deletes the keys that a glob pattern matches, a few hundred at a time, so that others are served in between.
   * @returns how many there were. @throws Error when Redis is gone or slow
   */
  async deleteMatching(pattern: string): Promise<number> {
    let deleted = 0;
    let cursor = '0';
    do {
      const [next, keys] = await this.#client.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
      if (keys.length > 0) deleted += await this.#client.unlink(...keys);
      cursor = next;
    } while (cursor !== '0');
    return deleted;
  }

  read(): HealthReading {
    const up = this.#up === true && this.#client.status === 'ready';
    return { up, details: { state: this.#client.status, ...(up ? {} : { lastFault: this.#lastFault }) } };
  }

  #mayLeave(): boolean {
    const now = performance.now();
    if (now - this.#leftAt < READ_ONLY_MS) return false;
    this.#leftAt = now;
    return true;
  }

  #failed(error: Error): void {
    // What was under way fails then, too, and says less.
    if (this.#hasNoDatabase) return;
    this.#lastFault = nameFault(error);
    if (isRefusal(error)) this.#tellRefusal(this.#lastFault);
    if (!isOfSelect(error)) return;
    // It would go on with the database 0, whose keys are not ours.
    this.#hasNoDatabase = true;
    this.#client.disconnect(true);
  }

  /** A connection is of use once anything is answered on it, be it that PING is forbidden. */
  async #greet(): Promise<void> {
    clearTimeout(this.#greeting);
    const fault = await this.#client.ping().then(
      () => undefined,
      (error: Error) => error,
    );
    if (this.#client.status !== 'ready') return;
    if (!fault || (fault.name === 'ReplyError' && !UNREADY.test(fault.message))) return this.#turned(true);
    this.#failed(fault);
    this.#turned(false);
    if (!this.#stopping) this.#greeting = setTimeout(() => void this.#greet(), GREETING_INTERVAL_MS).unref();
  }

  /** Says each change once, not each of the many tries between; but also what it is refused with when it comes back. */
  #turned(up: boolean): void {
    if (this.#up === up || this.#stopping) return;
    this.#up = up;
    this.#told.clear();
    if (up) {
      this.#lastFault = undefined;
      this.#logger.info({}, 'redis is up');
    } else {
      this.#told.add(this.#lastFault);
      this.#logger.warn({ reason: this.#lastFault }, 'redis is down; working without it');
    }
  }

  #tellRefusal(reason: string): void {
    if (this.#up !== false || this.#stopping || this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#logger.warn({ reason }, 'redis is there, but cannot be used');
  }
}

/** Somebody has answered, Redis or its TLS. Codes such as `ECONNREFUSED` say no more than that it is gone. */
function isRefusal(error: Error & { readonly code?: string }): boolean {
  return error.name === 'ReplyError' || (error.code !== undefined && !/^E[A-Z]+$/.test(error.code));
}

/** Redis has no database of the number that the URL names, or does not let us have it. */
function isOfSelect(error: Error & { readonly command?: { readonly name?: string } }): boolean {
  return error.command?.name === 'select';
}
