import { CircuitBreaker } from '@morgan/circuit-breaker';
import { AdaptiveBulkhead, AdaptiveTimeout, Bulkhead } from '@morgan/concurrency';
import { AppError, compose, type ErrorCode, type Logger, type Policy } from '@morgan/foundation';
import { RateLimiter, RateLimitPolicy } from '@morgan/rate-limiter';
import type { RedisConnection } from '@morgan/redis';
import { classifyFault, type Fault, HedgePolicy, RetryBudget, RetryPolicy } from '@morgan/retry';
import type { HttpClientConfig } from './http-client.config.ts';
import type { PolicyMetrics } from './http-client-metrics.ts';

/** What the policies stand on. */
export interface PolicyParts {
  readonly logger: Logger;
  readonly metrics: PolicyMetrics | undefined;
  readonly redis: RedisConnection | undefined;
}

/** Refused by this client itself: whoever refused has waited as long as it may, so another try is no use. */
const REFUSED_HERE: ReadonlySet<ErrorCode> = new Set([
  'circuit_open',
  'bulkhead_full',
  'rate_limited',
  'cost_above_limit',
  'rate_limiter_unavailable',
] as const);

/** The policies of one client, and the one place where they are put together. The deadline stands around all of it. */
export class ClientPolicies {
  readonly budget: RetryBudget;
  readonly retry: RetryPolicy;
  readonly breaker: CircuitBreaker;
  readonly limiter: RateLimiter | undefined;
  readonly bulkhead: Bulkhead | AdaptiveBulkhead | undefined;
  readonly adaptiveTimeout: AdaptiveTimeout | undefined;
  readonly hedge: HedgePolicy | undefined;
  /** Around calls that may be repeated. */
  readonly repeating: Policy;
  /** Around calls that can be sent only once. */
  readonly once: Policy;

  constructor(config: HttpClientConfig, { logger, metrics, redis }: PolicyParts) {
    const { serviceName: name } = config;
    const counter = metrics?.retry.of(name);
    this.budget = new RetryBudget({ ...config.retry.budget, metrics: counter?.budget });
    this.retry = new RetryPolicy({
      ...config.retry,
      budget: this.budget,
      classify,
      metrics: counter,
    });
    this.hedge = config.hedge && new HedgePolicy({ ...config.hedge, budget: this.budget, metrics: counter });
    this.breaker = new CircuitBreaker({
      name,
      config: config.circuitBreaker,
      ...(metrics && { metrics: metrics.breaker }),
    });
    this.breaker.onChange(({ breaker, from, to, reason }) =>
      logger[to === 'OPEN' ? 'warn' : 'info']({ breaker, from, reason }, `circuit is ${to}`),
    );
    this.limiter = limiterOf(config, { logger, metrics, redis });
    this.bulkhead = bulkheadOf(config, metrics);
    this.adaptiveTimeout =
      config.timeout.adaptive &&
      new AdaptiveTimeout({ name, config: config.timeout.adaptive, metrics: metrics?.concurrency });

    const attempt = [
      // A call that goes nowhere shall not wait for a turn, and take it from those that do.
      gate(this.breaker),
      this.limiter && new RateLimitPolicy({ limiter: this.limiter, key: name }),
      this.bulkhead,
      // Inside, so that no wait for a turn looks like a slow host.
      this.breaker,
      this.adaptiveTimeout,
    ];
    this.repeating = compose(...present([this.budget, this.retry, this.hedge, ...attempt]));
    this.once = compose(...present([this.budget, ...attempt]));
  }
}

/** Refuses what the breaker would refuse, and lets nothing through that the breaker has not admitted. */
function gate(breaker: CircuitBreaker): Policy {
  return {
    execute: (work, context) => (breaker.allows() ? work(context) : breaker.execute(work, context)),
  };
}

function present(policies: readonly (Policy | undefined)[]): Policy[] {
  return policies.filter((policy) => policy !== undefined);
}

function limiterOf(
  { serviceName, rateLimit }: HttpClientConfig,
  parts: PolicyParts,
): RateLimiter | undefined {
  if (!rateLimit) return undefined;
  const { requestsPerSecond, ...rest } = rateLimit;
  // A limiter counts in whole units: less than one a second is one in a longer window.
  const limit = Math.max(1, requestsPerSecond);
  const windowMs = Math.round((1000 * limit) / requestsPerSecond);
  const { logger, metrics, redis } = parts;
  return new RateLimiter(
    { name: serviceName, limit, windowMs, ...rest },
    { logger, redis, metrics: metrics?.limiter },
  );
}

function bulkheadOf(
  { serviceName: name, concurrency }: HttpClientConfig,
  metrics: PolicyMetrics | undefined,
) {
  if (!concurrency) return undefined;
  const { adaptive, maxQueue, maxConcurrent } = concurrency;
  const shared = { name, metrics: metrics?.concurrency };
  const bulkhead = adaptive
    ? new AdaptiveBulkhead({ ...shared, limit: adaptive, maxQueue })
    : new Bulkhead({ ...shared, config: { maxConcurrent, maxQueue } });
  metrics?.concurrency.watch(name, () => [bulkhead]);
  return bulkhead;
}

function classify(error: unknown): Fault {
  return error instanceof AppError && REFUSED_HERE.has(error.code) ? { kind: 'final' } : classifyFault(error);
}
