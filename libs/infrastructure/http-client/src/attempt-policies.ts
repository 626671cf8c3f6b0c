import { isDeepStrictEqual } from 'node:util';
import { CircuitBreaker, type CircuitBreakerMetrics, type CircuitStatus } from '@morgan/circuit-breaker';
import {
  AdaptiveBulkhead,
  type AdaptiveBulkheadStatus,
  AdaptiveTimeout,
  type AdaptiveTimeoutStatus,
  Bulkhead,
  type BulkheadStatus,
  type ConcurrencyMetrics,
} from '@morgan/concurrency';
import {
  type Assessment,
  type CallAssessor,
  type CallContext,
  type CallEnding,
  type Logger,
  newCall,
  type Policy,
  silentLogger,
} from '@morgan/foundation';
import type { RateLimiterMetrics, RateLimiterStatus } from '@morgan/rate-limiter';
import type { RedisConnection } from '@morgan/redis';
import { AttemptLimits, type AttemptPermit } from './attempt-limits.ts';
import type { AttemptPoliciesConfig } from './attempt-policies.config.ts';

/** The metrics of attempt policies, each made once per process. */
export interface AttemptPolicyMetrics {
  readonly breaker: CircuitBreakerMetrics;
  readonly limiter: RateLimiterMetrics;
  readonly concurrency: ConcurrencyMetrics;
}

/** What the policies around one target use. */
export interface AttemptPoliciesOptions {
  /** Stands in status, log lines and metric labels, and is the key of shared limits: a configured name. */
  readonly name: string;
  readonly config: AttemptPoliciesConfig;
  /** Decides what an ended attempt says about the target. Default: `assessCall` of the foundation. */
  readonly assess?: CallAssessor | undefined;
  readonly logger?: Logger | undefined;
  readonly metrics?: AttemptPolicyMetrics | undefined;
  /** Shares the limits with every process that has a target of this name. Without it they are this process's own. */
  readonly redis?: RedisConnection | undefined;
  /** The policies that these replace, after a reload: a limit with the same configuration keeps its counts. */
  readonly before?: AttemptPolicies | undefined;
}

/** An attempt that is to be made. */
export interface AttemptRequest extends CallContext {
  /** Estimated tokens, for `tokenLimit`. Default 0. */
  readonly tokens?: number | undefined;
  /** How long to wait for the limits at most, in milliseconds; 0: not at all; no longer than they say. Default: as they say. */
  readonly maxWaitMs?: number | undefined;
  /** Whether it goes past an open circuit, which learns nothing from it; limits hold. Default false. */
  readonly ignoresCircuit?: boolean | undefined;
}

/** An attempt that goes on. */
export interface BegunAttempt {
  /** Says how it went. Once, unless {@link judge} has. */
  end(assessment: Assessment): void;
  /** Says how it goes before it is over: its slot stays its own until it leaves. Once. */
  judge(assessment: Assessment): void;
  /** The attempt is over and gives its slot back; how it went is said later, by {@link end}. */
  leave(): void;
  /** Takes the tokens that it really cost, in place of the estimate; none where they are not limited. */
  readonly settleTokens?: ((tokens: number) => void) | undefined;
}

/** An attempt that every policy has let in: each of them waits for its end. */
interface Admitted {
  readonly permit: AttemptPermit;
  /** Tells the breaker. To be called once, or `end` in its place. */
  readonly judge: (ending: CallEnding) => void;
  readonly end: (ending: CallEnding) => void;
  /** Gives its slot back before that. */
  readonly leave: (ending: CallEnding) => void;
}

const NOT_KNOWN_YET: Assessment = { verdict: 'ignored', overloaded: false };

/** Whether an attempt that comes now would begin at once; where not, what it waits for or is refused by. */
export type Availability =
  | { readonly available: true }
  | {
      readonly available: false;
      readonly because: 'circuit_open' | 'rate_limited' | 'bulkhead_full';
      /** When it could begin, in milliseconds, where that is known. */
      readonly retryAfterMs: number | undefined;
    };

/** The state of every policy. What is not configured is left out. */
export interface AttemptPoliciesStatus {
  readonly circuitBreaker: CircuitStatus;
  readonly rateLimit?: RateLimiterStatus;
  readonly tokenLimit?: RateLimiterStatus;
  readonly concurrency?: BulkheadStatus | AdaptiveBulkheadStatus;
  readonly adaptiveTimeout?: AdaptiveTimeoutStatus;
}

/**
 * The policies around every single attempt at one target, in one order: open circuit? > rate limit > bulkhead > breaker >
 * adaptive timeout. What is about a whole call (deadline, budget, retry, hedge) stands around it.
 */
export class AttemptPolicies implements Policy {
  readonly breaker: CircuitBreaker;
  readonly #limits: AttemptLimits;
  readonly #bulkhead: Bulkhead | AdaptiveBulkhead | undefined;
  readonly #timeout: AdaptiveTimeout | undefined;
  readonly #metrics: AttemptPolicyMetrics | undefined;
  readonly #config: AttemptPoliciesConfig;

  constructor(options: AttemptPoliciesOptions) {
    const { name, config, assess, logger = silentLogger, metrics, redis, before } = options;
    const { circuitBreaker, adaptiveTimeout, concurrency } = config;
    this.#config = config;
    this.breaker = new CircuitBreaker({
      name,
      ...circuitBreaker,
      assess,
      metrics: metrics?.breaker,
      logger,
    });
    this.breaker.onChange(({ from, to, reason }) =>
      logger[to === 'OPEN' ? 'warn' : 'info']({ breaker: name, from, reason }, `circuit is ${to}`),
    );
    this.#limits =
      before?.isSame(config, ['rateLimit', 'tokenLimit']) === true
        ? before.#limits
        : new AttemptLimits({ name, config, logger, metrics: metrics?.limiter, redis });
    this.#timeout =
      adaptiveTimeout && new AdaptiveTimeout({ name, ...adaptiveTimeout, metrics: metrics?.concurrency });
    this.#bulkhead =
      before?.isSame(config, ['concurrency']) === true
        ? before.#bulkhead
        : bulkheadOf(name, concurrency, { assess, metrics: metrics?.concurrency });
    this.#metrics = metrics;
  }

  /**
   * Runs the work when every policy admits it. What a limit took is given back where the work was not begun.
   * @throws AppError `circuit_open`, `rate_limited`, `cost_above_limit`, `rate_limiter_unavailable`, `bulkhead_full` or
   * `attempt_timeout`; the reason of the signal when it aborts while waiting; what the work throws.
   */
  async execute<Result>(
    work: (context: CallContext, permit: Pick<AttemptPermit, 'settleTokens'>) => Promise<Result>,
    request: AttemptRequest = newCall(),
  ): Promise<Result> {
    const admission = this.#admit(request);
    const { permit, end } = admission instanceof Promise ? await admission : admission;
    let hasBegun = false;
    const begin = (context: CallContext) => {
      hasBegun = true;
      return work(context, permit);
    };
    let result: Result;
    try {
      result = await (this.#timeout ? this.#timeout.execute(begin, request) : begin(request));
    } catch (error) {
      if (!hasBegun) permit.release();
      end({ error });
      throw error;
    }
    end({ result });
    return result;
  }

  /**
   * As {@link execute}, for an attempt that is judged later than its response is there: it lasts until its end is said, and
   * `assess` gets what was said as its result, and no adaptive timeout cuts it. At once where nothing has to be waited for;
   * throws or rejects as `execute`.
   */
  begin(request: AttemptRequest): BegunAttempt | Promise<BegunAttempt> {
    const admission = this.#admit(request);
    if (admission instanceof Promise) return admission.then((admitted) => this.#begun(admitted));
    return this.#begun(admission);
  }

  /** Whether there is anything that an attempt may have to wait for. */
  get mayQueue(): boolean {
    return this.#bulkhead !== undefined || this.#limits.any;
  }

  /** The most tokens that one attempt may ask for: more would never fit. */
  get mostTokens(): number {
    return this.#limits.tokens?.capacity ?? Infinity;
  }

  /** Whether an attempt of so many tokens would begin at once. Takes nothing, so another may still come first. */
  availability(tokens = 0): Availability {
    if (!this.breaker.allows()) {
      const status = this.breaker.getStatus();
      const retryAfterMs = status.state === 'OPEN' ? status.retryAfterMs : undefined;
      return { available: false, because: 'circuit_open', retryAfterMs };
    }
    return this.room(tokens);
  }

  /** {@link availability} as far as limits are concerned, whatever the circuit says. */
  room(tokens = 0): Availability {
    const limitMs = this.#limits.peekWaitMs(tokens);
    if (limitMs > 0) return { available: false, because: 'rate_limited', retryAfterMs: limitMs };
    const slotMs = this.#bulkhead ? this.#bulkhead.waitMs() : 0;
    if (slotMs === 0) return { available: true };
    return { available: false, because: 'bulkhead_full', retryAfterMs: slotMs };
  }

  /** {@link availability} as a yes or no. */
  allows(tokens = 0): boolean {
    return this.availability(tokens).available;
  }

  /** The target has answered 429: its own limit is lower. No attempt begins for a little longer than it says. */
  slowDown(retryAfterMs: number | undefined): Promise<void> {
    return this.#limits.slowDown(retryAfterMs);
  }

  getStatus(): AttemptPoliciesStatus {
    return {
      circuitBreaker: this.breaker.getStatus(),
      ...this.#limits.getStatus(),
      ...(this.#bulkhead && { concurrency: this.#bulkhead.getStatus() }),
      ...(this.#timeout && { adaptiveTimeout: this.#timeout.getStatus() }),
    };
  }

  /**
   * Shows in no metric any more. Attempts that are running or waiting end as they would.
   * @param next those in place of these, which go on with some of it.
   */
  stop(next?: AttemptPolicies): void {
    this.#metrics?.breaker.forget(this.breaker);
    if (!next || next.#limits !== this.#limits) this.#limits.stop();
    if (!next || next.#bulkhead !== this.#bulkhead) this.#bulkhead?.stop();
  }

  private isSame(config: AttemptPoliciesConfig, keys: readonly (keyof AttemptPoliciesConfig)[]): boolean {
    return keys.every((key) => isDeepStrictEqual(this.#config[key], config[key]));
  }

  /** Asks every policy in its turn; what those before have given is given back where one refuses. */
  #admit(request: AttemptRequest): Admitted | Promise<Admitted> {
    // Before any wait: a refused call must not take the turn of another.
    if (!request.ignoresCircuit) this.breaker.throwIfOpen();
    const permit = this.#limits.take(request);
    if (permit instanceof Promise) return permit.then((granted) => this.#enter(granted, request));
    return this.#enter(permit, request);
  }

  #enter(permit: AttemptPermit, request: AttemptRequest): Admitted | Promise<Admitted> {
    const refused = (error: unknown): never => {
      permit.release();
      throw error;
    };
    try {
      const leave = this.#bulkhead?.begin(request);
      if (leave instanceof Promise)
        return leave.then((left) => this.#pass(permit, left, request)).catch(refused);
      return this.#pass(permit, leave, request);
    } catch (error) {
      return refused(error);
    }
  }

  /** The breaker inside, so that no wait for a turn looks like a slow target. */
  #pass(
    permit: AttemptPermit,
    leave: ((ending: CallEnding) => void) | undefined,
    request: AttemptRequest,
  ): Admitted {
    try {
      let hasLeft = false;
      const leaveOnce = (ending: CallEnding) => {
        if (hasLeft) return;
        hasLeft = true;
        leave?.(ending);
      };
      const judge = request.ignoresCircuit ? () => undefined : this.breaker.begin(request);
      const end = (ending: CallEnding) => {
        try {
          judge(ending);
        } finally {
          leaveOnce(ending);
        }
      };
      return { permit, judge, end, leave: leaveOnce };
    } catch (error) {
      leave?.({ error });
      throw error;
    }
  }

  #begun({ permit, judge, end, leave }: Admitted): BegunAttempt {
    return {
      end: (result) => end({ result }),
      judge: (result) => judge({ result }),
      leave: () => leave({ result: NOT_KNOWN_YET }),
      settleTokens: this.#limits.tokens && permit.settleTokens,
    };
  }
}

function bulkheadOf(
  name: string,
  config: AttemptPoliciesConfig['concurrency'],
  shared: { readonly assess: CallAssessor | undefined; readonly metrics: ConcurrencyMetrics | undefined },
): Bulkhead | AdaptiveBulkhead | undefined {
  if (!config) return undefined;
  const { adaptive, maxQueue, maxConcurrent } = config;
  const { metrics } = shared;
  return adaptive
    ? new AdaptiveBulkhead({ ...shared, name, ...adaptive, maxQueue })
    : new Bulkhead({ name, metrics, maxConcurrent, maxQueue });
}
