import { type Logger, parseSettings, silentLogger, requireName } from '@morgan/foundation';
import Opossum from 'opossum';
import type { z } from 'zod';
import { nameFault } from './name-fault.ts';
import { redisGuardConfig } from './redis.config.ts';

/** How a {@link RedisGuard} decides; settings that are left out have the defaults of `redisGuardConfig`. */
export type RedisGuardOptions = z.input<typeof redisGuardConfig> & {
  /** For log lines. */
  readonly name: string;
  readonly logger?: Logger | undefined;
};

/** What the uses of the last 10 s came to. */
export interface RedisGuardStatus {
  readonly open: boolean;
  readonly successes: number;
  /** Uses that failed or took too long. */
  readonly failures: number;
  /** Uses for which Redis was not asked. */
  readonly rejected: number;
}

/** A refusal that goes on, or comes again after months, is told of again. */
const TELL_AGAIN_MS = 600_000;

type Use = () => Promise<unknown>;
type Fallback = (error: unknown) => unknown;

/**
 * For uses of Redis that have a substitute, such as a cache: while Redis is slow or fails, the substitute is given at
 * once instead of after a timeout each time. It is opossum's breaker: share of errors, fallback. The time limit is its own, as
 * opossum's would take a busy process for a slow Redis. What Redis refuses, because it is full, a replica or forbids scripts, is answered in time and opens nothing: reading goes on.
 */
export class RedisGuard {
  readonly #breaker: Opossum<[Use, Fallback], unknown>;
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #logger: Logger;
  /** When refusals were told of, by their code. */
  readonly #toldAt = new Map<string, number>();

  /** @throws ConfigError, which names every setting that is wrong. */
  constructor({ name, logger = silentLogger, ...settings }: RedisGuardOptions) {
    const config = parseSettings(redisGuardConfig, settings);
    const { timeoutMs, errorThresholdPercentage, resetTimeoutMs: resetTimeout } = config;
    this.#name = requireName('RedisGuard', name);
    this.#timeoutMs = timeoutMs;
    this.#logger = logger;
    this.#breaker = new Opossum((use: Use, _fallback: Fallback) => use(), {
      name,
      timeout: false,
      errorThresholdPercentage,
      volumeThreshold: config.minimumUses,
      resetTimeout,
    });
    this.#breaker.fallback((_: Use, fallback: Fallback, error: unknown) => fallback(error));
    this.#breaker.on('open', () =>
      logger.warn({ guard: name }, 'redis is slow or fails; working without it'),
    );
    this.#breaker.on('close', () => logger.info({ guard: name }, 'redis is used again'));
  }

  /** Never rejects but with what the fallback throws. @param fallback gets the error of the use, or opossum's. */
  async run<Result>(use: () => Promise<Result>, fallback: (error: unknown) => Result): Promise<Result> {
    // Opossum would reject, fallback or not.
    if (this.#breaker.isShutdown) return fallback(new Error('the guard is stopped'));
    const answered = () =>
      this.#inTime(use).then(
        (result) => () => result,
        (error: unknown) => {
          this.#noteRefusal(error);
          return () => fallback(error);
        },
      );
    // Outside of the breaker: what a fallback throws is no fault of Redis, and would have it called once more.
    const result = await this.#breaker.fire(answered, (error) => () => fallback(error));
    return (result as () => Result)();
  }

  /**
   * Where this process was busy for longer than the limit, the timer comes first though the answer is there: that is read
   * before anything is decided.
   */
  #inTime<Result>(use: () => Promise<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const giveUp = () => reject(new Error(`Redis has not answered within ${this.#timeoutMs} ms`));
      const timer = setTimeout(() => setImmediate(giveUp), this.#timeoutMs);
      use()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }

  /** @throws the error where it is no refusal. */
  #noteRefusal(error: unknown): void {
    if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
    const reason = nameFault(error);
    const now = performance.now();
    if (now - (this.#toldAt.get(reason) ?? -Infinity) < TELL_AGAIN_MS) return;
    this.#toldAt.set(reason, now);
    this.#logger.warn({ guard: this.#name, reason }, 'redis refuses a use; working without it');
  }

  getStatus(): RedisGuardStatus {
    const { successes, failures, rejects: rejected } = this.#breaker.stats;
    return { open: this.#breaker.opened, successes, failures, rejected };
  }

  /** Leaves no timer; from then on only the fallback is given. */
  stop(): void {
    this.#breaker.shutdown();
  }
}
