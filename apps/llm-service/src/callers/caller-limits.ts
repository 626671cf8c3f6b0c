import { AppError } from '@morgan/foundation';
import { type Decision, type Permit, RateLimiter, type RateLimiterParts } from '@morgan/rate-limiter';
import type { HttpReply } from '@morgan/http-server';
import type { CallerLimitsConfig } from './caller-limits.config.ts';
import { CallerPermit } from './caller-permit.ts';
import { tellLimit } from './limit-headers.ts';

const MINUTE_MS = 60_000;

/** What one caller may use, whoever answers it. Callers are told apart by their API keys. */
export class CallerLimits {
  readonly #requests: RateLimiter | undefined;
  readonly #tokens: RateLimiter | undefined;
  readonly #config: CallerLimitsConfig;

  constructor(config: CallerLimitsConfig, parts: RateLimiterParts) {
    const { requestsPerMinute, tokensPerMinute, replicas } = config;
    const limiter = (name: string, limit: number | undefined) => {
      if (limit === undefined) return undefined;
      return new RateLimiter({ name, limit, windowMs: MINUTE_MS, replicas, ...parts });
    };
    this.#config = config;
    this.#requests = limiter('callers', requestsPerMinute);
    this.#tokens = limiter('callers:tokens', tokensPerMinute);
  }

  /**
   * Never waits: whoever calls can do that better. The reply has headers then that say how much is left.
   * @param tokens an estimate; one above the limit takes all of it. None: the call uses no tokens, and may be made however many were used
   * @throws AppError `rate_limited`; then nothing is taken from either limit.
   */
  async take(caller: string, tokens: number | undefined, reply: HttpReply): Promise<CallerPermit> {
    const { requestsPerMinute = Infinity, tokensPerMinute = Infinity } = this.#config;
    const request = await this.#requests?.tryAcquire(caller);
    if (request) tellLimit(reply, 'requests', requestsPerMinute, request.utilisation);
    if (isRefused(request)) throw refusal(`make ${requestsPerMinute} requests`, request.retryAfterMs);
    if (tokens === undefined) return new CallerPermit(undefined);
    const estimate = await this.#tokens?.tryAcquire(caller, Math.min(tokens, tokensPerMinute));
    if (estimate) tellLimit(reply, 'tokens', tokensPerMinute, estimate.utilisation);
    if (!isRefused(estimate)) return new CallerPermit(estimate);
    if (request) {
      request.settle(0);
      tellLimit(reply, 'requests', requestsPerMinute, request.utilisation - 1 / requestsPerMinute);
    }
    throw refusal(`use ${tokensPerMinute} tokens`, estimate.retryAfterMs);
  }

  stop(): void {
    this.#requests?.stop();
    this.#tokens?.stop();
  }
}

function isRefused(decision: Decision | undefined): decision is Exclude<Decision, Permit> {
  return decision?.admitted === false;
}

function refusal(what: string, waitMs: number): AppError {
  const retryAfterMs = Math.ceil(waitMs);
  return new AppError(
    'rate_limited',
    `Your API key may ${what} a minute, and has done so; try again in ${retryAfterMs} ms.`,
    { retryAfterMs },
  );
}
