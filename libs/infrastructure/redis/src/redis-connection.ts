import type { Logger, Probe, ProbeResult } from '@morgan/foundation';
import { Redis } from 'ioredis';

const FIRST_RECONNECT_MS = 50;
const LONGEST_RECONNECT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 2_000;

/** One slow command is bad luck; so many in a row, and the connection counts as dead and is made anew. */
const TIMEOUTS_UNTIL_RECONNECT = 3;

/** Where Redis is and how patient to be with it. */
export interface RedisConnectionOptions {
  readonly url: string;
  readonly commandTimeoutMs: number;
}

/**
 * One connection to Redis that may be gone at any time: commands then fail at once or within the command timeout, and
 * the connection comes back by itself. Nothing waits for Redis, not even a start.
 */
export class RedisConnection implements Probe {
  readonly name = 'redis';
  /** The services work without Redis, only slower. */
  readonly required = false;
  readonly #client: Redis;
  readonly #logger: Logger;
  #up: boolean | undefined;
  #stopping = false;
  #lastFault: string | undefined;
  #timeoutsInARow = 0;

  constructor({ url, commandTimeoutMs }: RedisConnectionOptions, logger: Logger) {
    this.#logger = logger;
    this.#client = new Redis(url, {
      lazyConnect: true,
      commandTimeout: commandTimeoutMs,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // A command without a connection fails at once; waiting for one would make every request wait.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(FIRST_RECONNECT_MS * 2 ** (attempt - 1), LONGEST_RECONNECT_MS),
    });
    this.#client.on('ready', () => this.#turned(true));
    this.#client.on('close', () => this.#turned(false));
    this.#client.on('error', (error: Error & { code?: string }) => {
      this.#lastFault = error.code ?? error.name;
    });
  }

  /** Begins to connect, and to reconnect for as long as it takes. Waits for nothing. */
  start(): void {
    this.#client.connect().catch(() => this.#turned(false));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#client.status === 'ready') await this.#client.quit().catch(() => undefined);
    this.#client.disconnect();
  }

  /** The values of keys, null where there is none: one round trip. @throws Error when Redis is gone or slow */
  getBuffers(keys: readonly string[]): Promise<(Buffer | null)[]> {
    return this.#watched(this.#client.mgetBuffer(...keys));
  }

  /** Stores values in one round trip. @param ttlSeconds 0: for good. @throws Error when Redis is gone or slow */
  async setBuffers(entries: readonly (readonly [string, Buffer])[], ttlSeconds: number): Promise<void> {
    const pipeline = this.#client.pipeline();
    for (const [key, value] of entries) {
      if (ttlSeconds > 0) pipeline.set(key, value, 'EX', ttlSeconds);
      else pipeline.set(key, value);
    }
    await this.#watched(
      pipeline.exec().then((results) => {
        const failed = results?.find(([error]) => error)?.[0];
        if (failed) throw failed;
      }),
    );
  }

  read(): ProbeResult {
    const up = this.#client.status === 'ready';
    return { up, details: { state: this.#client.status, ...(up ? {} : { lastFault: this.#lastFault }) } };
  }

  /** A server that hangs keeps its connection open: only its silence tells. */
  async #watched<Result>(command: Promise<Result>): Promise<Result> {
    try {
      const result = await command;
      this.#timeoutsInARow = 0;
      return result;
    } catch (error) {
      const timedOut = error instanceof Error && error.message === 'Command timed out';
      this.#timeoutsInARow = timedOut ? this.#timeoutsInARow + 1 : 0;
      if (this.#timeoutsInARow >= TIMEOUTS_UNTIL_RECONNECT) {
        this.#timeoutsInARow = 0;
        this.#lastFault = 'ETIMEDOUT';
        this.#client.disconnect(true);
      }
      throw error;
    }
  }

  /** Says each change once, not each of the many tries between. */
  #turned(up: boolean): void {
    if (this.#up === up || this.#stopping) return;
    this.#up = up;
    if (up) this.#logger.info({}, 'redis is up');
    else this.#logger.warn({ reason: this.#lastFault }, 'redis is down; working without it');
  }
}
