import {
  AppError,
  type CallAssessor,
  type CallContext,
  classifyFault,
  compose,
  type ErrorCode,
  type Fault,
  type Logger,
  type Policy,
} from '@morgan/foundation';
import type { RedisConnection } from '@morgan/redis';
import { HedgePolicy, RetryBudget, RetryPolicy } from '@morgan/retry';
import { AttemptPolicies } from './attempt-policies.ts';
import type { HttpClientConfig } from './http-client.config.ts';
import type { PolicyMetrics } from './http-client-metrics.ts';

/** What the policies stand on. */
interface PolicyParts {
  readonly logger: Logger;
  readonly metrics: PolicyMetrics | undefined;
  readonly redis: RedisConnection | undefined;
  readonly assess?: CallAssessor | undefined;
}

/** Refused by this client itself: whoever refused has waited as long as it may, so another try is no use. */
const REFUSED_HERE: ReadonlySet<ErrorCode> = new Set([
  'circuit_open',
  'bulkhead_full',
  'rate_limited',
  'cost_above_limit',
  'rate_limiter_unavailable',
] as const);

/** The policies of one client: those of a call (budget, retry, hedge) around those of its attempts. */
export class ClientPolicies {
  readonly budget: RetryBudget;
  readonly retry: RetryPolicy;
  readonly hedge: HedgePolicy | undefined;
  /** Around every single attempt. */
  readonly attempts: AttemptPolicies;
  readonly #repeating: Policy;
  readonly #once: Policy;

  constructor(config: HttpClientConfig, { logger, metrics, redis, assess }: PolicyParts) {
    const { serviceName: name, circuitBreaker, rateLimit, concurrency, timeout } = config;
    const counter = metrics?.retry.of(name);
    this.budget = new RetryBudget({ ...config.retry.budget, metrics: counter?.budget });
    this.retry = new RetryPolicy({ ...config.retry, budget: this.budget, classify, metrics: counter });
    this.hedge = config.hedge && new HedgePolicy({ ...config.hedge, budget: this.budget, metrics: counter });
    this.attempts = new AttemptPolicies({
      name,
      assess,
      config: { circuitBreaker, rateLimit, concurrency, adaptiveTimeout: timeout.adaptive },
      logger,
      metrics,
      redis,
    });
    const repeated = [this.budget, this.retry, this.hedge].filter((policy) => policy !== undefined);
    this.#repeating = compose(...repeated, this.attempts);
    this.#once = compose(this.budget, this.attempts);
  }

  /** @param repeatable false where the work can be done only once. */
  execute<Result>(
    work: (context: CallContext) => Promise<Result>,
    context: CallContext,
    repeatable: boolean,
  ): Promise<Result> {
    return (repeatable ? this.#repeating : this.#once).execute(work, context);
  }
}

function classify(error: unknown): Fault {
  const fault = classifyFault(error);
  return error instanceof AppError && REFUSED_HERE.has(error.code) ? { ...fault, retryable: false } : fault;
}
