import { type Deadline, type Logger, spreadWaitMs } from '@morgan/foundation';
import {
  type Permit,
  RateLimiter,
  type RateLimiterMetrics,
  type RateLimiterStatus,
} from '@morgan/rate-limiter';
import type { RedisConnection } from '@morgan/redis';
import type { AttemptPoliciesConfig } from './attempt-policies.config.ts';

/** What the limits of one target are made of. */
interface AttemptLimitsOptions {
  readonly name: string;
  readonly config: Pick<AttemptPoliciesConfig, 'rateLimit' | 'tokenLimit'>;
  readonly logger: Logger;
  readonly metrics: RateLimiterMetrics | undefined;
  /** Shares the limits with every process that has a target of this name. */
  readonly redis: RedisConnection | undefined;
}

/** What bounds the wait for a turn, and what the attempt is expected to cost. */
interface AttemptCost {
  readonly signal: AbortSignal;
  readonly deadline?: Deadline | undefined;
  /** Estimated tokens. Default 0. */
  readonly tokens?: number | undefined;
  /** How long to wait for a turn at most, in milliseconds, but no longer than the limits say. Default: as they say. */
  readonly maxWaitMs?: number | undefined;
}

/** A turn that was granted. */
export interface AttemptPermit {
  /** Replaces the estimated tokens by those that the attempt really cost. */
  readonly settleTokens: (tokens: number) => void;
  /** Gives everything back: nothing was sent. */
  release(): void;
}

const NO_PERMIT: AttemptPermit = { settleTokens: () => undefined, release: () => undefined };
const MINUTE_MS = 60_000;
/** A target that asks for more is asked again all the same: it may be mistaken, or be mended before. As the gateway has it by default. */
const LONGEST_REST_MS = 300_000;

/** The name of the limiter that counts the tokens of a target. */
export function tokenLimiterOf(name: string): string {
  return `${name}:tokens`;
}

/** The limits of one target: requests per second and tokens per minute, either of which may be missing. */
export class AttemptLimits {
  readonly requests: RateLimiter | undefined;
  readonly tokens: RateLimiter | undefined;
  readonly #name: string;
  readonly #config: AttemptLimitsOptions['config'];

  constructor({ name, config, ...parts }: AttemptLimitsOptions) {
    this.#name = name;
    this.#config = config;
    if (config.rateLimit) {
      const { requestsPerSecond, ...rest } = config.rateLimit;
      // A limiter counts in whole units: less than one a second is one in a longer window.
      const limit = Math.max(1, requestsPerSecond);
      const windowMs = Math.round((1000 * limit) / requestsPerSecond);
      this.requests = new RateLimiter({ name, limit, windowMs, ...rest, ...parts });
    }
    if (config.tokenLimit) {
      const { tokensPerMinute: limit, ...rest } = config.tokenLimit;
      this.tokens = new RateLimiter({
        name: tokenLimiterOf(name),
        limit,
        windowMs: MINUTE_MS,
        ...rest,
        ...parts,
      });
    }
  }

  /** Whether there is a limit at all. */
  get any(): boolean {
    return this.requests !== undefined || this.tokens !== undefined;
  }

  /**
   * At once where nothing has to be waited for. @throws or rejects as `RateLimiter.acquire`; then nothing is taken from either
   * limit.
   */
  take(cost: AttemptCost): AttemptPermit | Promise<AttemptPermit> {
    if (!this.requests) return this.tokens ? this.#takeTokens(undefined, cost) : NO_PERMIT;
    const { rateLimit } = this.#config;
    const request = this.requests.take(this.#name, 1, within(cost, rateLimit?.maxWaitMs));
    if (request instanceof Promise) return request.then((granted) => this.#takeTokens(granted, cost));
    return this.#takeTokens(request, cost);
  }

  /** How long an attempt that comes now would wait, in milliseconds, as far as this process knows. Takes nothing. */
  peekWaitMs(tokens: number): number {
    return Math.max(
      this.requests?.peekWaitMs(this.#name) ?? 0,
      this.tokens?.peekWaitMs(this.#name, tokens) ?? 0,
    );
  }

  /** The target has answered 429: its own limit is lower. @param retryAfterMs as it said, if it did; five minutes at most count. */
  async slowDown(retryAfterMs: number | undefined): Promise<void> {
    const limiter = this.requests ?? this.tokens;
    await (retryAfterMs === undefined
      ? limiter?.drain(this.#name)
      : limiter?.penalize(this.#name, spreadWaitMs(Math.min(retryAfterMs, LONGEST_REST_MS))));
  }

  getStatus(): { readonly rateLimit?: RateLimiterStatus; readonly tokenLimit?: RateLimiterStatus } {
    return {
      ...(this.requests && { rateLimit: this.requests.getStatus() }),
      ...(this.tokens && { tokenLimit: this.tokens.getStatus() }),
    };
  }

  stop(): void {
    this.requests?.stop();
    this.tokens?.stop();
  }

  #takeTokens(request: Permit | undefined, cost: AttemptCost): AttemptPermit | Promise<AttemptPermit> {
    if (!this.tokens) return permitOf(request, undefined);
    const refused = (error: unknown): never => {
      request?.settle(0);
      throw error;
    };
    try {
      const { tokenLimit } = this.#config;
      const tokens = this.tokens.take(this.#name, cost.tokens ?? 0, within(cost, tokenLimit?.maxWaitMs));
      if (tokens instanceof Promise) return tokens.then((granted) => permitOf(request, granted), refused);
      return permitOf(request, tokens);
    } catch (error) {
      return refused(error);
    }
  }
}

/** Nobody waits longer than the limit says. */
function within(cost: AttemptCost, limitMs = Infinity): AttemptCost {
  const { maxWaitMs } = cost;
  return maxWaitMs === undefined || maxWaitMs <= limitMs ? cost : { ...cost, maxWaitMs: limitMs };
}

function permitOf(request: Permit | undefined, tokens: Permit | undefined): AttemptPermit {
  return {
    settleTokens: (cost) => tokens?.settle(cost),
    release: () => {
      request?.settle(0);
      tokens?.settle(0);
    },
  };
}
