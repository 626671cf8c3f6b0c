import {
  AppError,
  backoffMs,
  type CallContext,
  callStopped,
  classifyFault,
  contextWith,
  type Deadline,
  type Fault,
  FAULT_CATEGORIES,
  type FaultClassifier,
  newCall,
  parseSettings,
  type Policy,
  spreadWaitMs,
} from '@morgan/foundation';
import { abortableWait } from './abortable-wait.ts';
import { retryPolicyConfig } from './retry.config.ts';
import type { RetryBudget, RetryBudgetStatus } from './retry-budget.ts';
import type { AttemptOutcome, GiveUpReason } from './retry-outcome.ts';
import type { RetryCounter } from './retry-metrics.ts';

/** A call that says whether repeating it is safe. */
export interface RepeatableContext extends CallContext {
  /** False: only faults before anything was sent may be repeated, and hedges are off. Default true. */
  readonly idempotent?: boolean | undefined;
}

/** What one attempt gets: the call, and which attempt it is, counted from 1. */
export interface AttemptContext extends RepeatableContext {
  readonly attempt: number;
}

/** How the waits between attempts grow, where the host does not say how long to wait. */
interface RetryDelays {
  /** The most that the first wait can take, in milliseconds. */
  readonly baseDelayMs: number;
  /** No wait is longer, in milliseconds. */
  readonly maxDelayMs: number;
  /** How many times longer each wait may be than the one before. */
  readonly base: number;
  /** `full`: a wait is anywhere between 0 and its most. `none`: it is its most, for tests and single callers. */
  readonly jitter: 'full' | 'none';
}

/** How often, how late and out of which budget a call is repeated. */
export interface RetryOptions extends Partial<RetryDelays> {
  /** Attempts after the first one. Default 3. */
  readonly maxRetries?: number | undefined;
  /** The budget of the client, shared with its fallbacks and hedges. It must stand around this policy. */
  readonly budget: RetryBudget;
  /** Default {@link classifyFault}. */
  readonly classify?: FaultClassifier | undefined;
  readonly metrics?: RetryCounter | undefined;
  /** Numbers from 0 to below 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** What a policy has come to since it was made. */
export interface RetryStatus {
  readonly calls: number;
  /** Calls that succeeded after at least one failed attempt. */
  readonly recovered: number;
  readonly attempts: Readonly<Record<AttemptOutcome, number>>;
  readonly givenUp: Readonly<Record<GiveUpReason, number>>;
  readonly budget: RetryBudgetStatus;
}

/**
 * Repeats work that failed for a reason that time can heal: 5xx, 408, 425, 429, timeouts, broken connections. Waits as
 * long as the host asks, not at all after a stale connection, else exponentially with jitter; never past the deadline,
 * never after an abort, never beyond the budget. What it throws is the last attempt's own error, or why the call was stopped while nothing was running.
 */
export class RetryPolicy implements Policy {
  readonly #maxRetries: number;
  readonly #delays: RetryDelays;
  readonly #budget: RetryBudget;
  readonly #classify: FaultClassifier;
  readonly #metrics: RetryCounter | undefined;
  readonly #random: (() => number) | undefined;
  readonly #attempts = Object.fromEntries(
    ['ok', ...FAULT_CATEGORIES].map((outcome) => [outcome, 0]),
  ) as Record<AttemptOutcome, number>;
  readonly #givenUp = { final: 0, aborted: 0, unsafe: 0, attempts: 0, wait: 0, budget: 0 };
  #calls = 0;
  #recovered = 0;

  /** @throws ConfigError, which names every setting that is wrong. */
  constructor({ budget, classify = classifyFault, metrics, random, ...settings }: RetryOptions) {
    const { maxRetries, ...delays } = parseSettings(retryPolicyConfig, settings);
    this.#maxRetries = maxRetries;
    this.#delays = delays;
    this.#budget = budget;
    this.#classify = classify;
    this.#metrics = metrics;
    this.#random = random;
  }

  /** @throws the last attempt's error; `client_closed_request` or the abort's own reason; `deadline_exceeded`. */
  async execute<Result>(
    work: (context: AttemptContext) => Promise<Result>,
    context: RepeatableContext = newCall(),
  ): Promise<Result> {
    this.#calls += 1;
    const over = reasonToStop(context);
    if (over) return this.#giveUp('aborted', over);
    let backoffs = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await work(contextWith(context, { attempt }));
        this.#succeeded(attempt);
        return result;
      } catch (error) {
        const fault = this.#failed(error, context.signal);
        const waitMs = fault === 'cancelled' ? 0 : this.#waitAfter(fault, backoffs);
        if (fault !== 'cancelled' && !fault.stale && !fault.retryAfterMs) backoffs += 1;
        const next = this.#decide(fault, attempt, context, waitMs);
        if (typeof next === 'string') return this.#giveUp(next, error);
        if (next > 0)
          await abortableWait(next, context.signal).catch((stopped) => this.#giveUp('aborted', stopped));
        // Taken only now: an attempt counts for the time at which it is made.
        if (!this.#budget.take('retry')) return this.#giveUp('budget', error);
      }
    }
  }

  getStatus(): RetryStatus {
    return {
      calls: this.#calls,
      recovered: this.#recovered,
      attempts: { ...this.#attempts },
      givenUp: { ...this.#givenUp },
      budget: this.#budget.getStatus(),
    };
  }

  /** How long to wait before the next attempt, in milliseconds, or why there is none. */
  #decide(
    fault: Fault | 'cancelled',
    attempt: number,
    { deadline, idempotent = true }: RepeatableContext,
    waitMs: number,
  ): number | GiveUpReason {
    if (fault === 'cancelled') return 'aborted';
    if (!fault.retryable) return 'final';
    if (!idempotent && fault.sent) return 'unsafe';
    if (attempt > this.#maxRetries) return 'attempts';
    const fits = deadline ? deadline.allows(waitMs) : waitMs <= this.#delays.maxDelayMs;
    if (!fits) return 'wait';
    if (this.#budget.allows()) return fault.retryAfterMs ? this.#spread(waitMs, deadline) : waitMs;
    this.#budget.refuse('retry');
    return 'budget';
  }

  #waitAfter({ stale, retryAfterMs }: Fault, backoffs: number): number {
    if (stale) return 0;
    if (retryAfterMs) return retryAfterMs;
    const { baseDelayMs: firstMs, maxDelayMs: longestMs, base: factor, jitter } = this.#delays;
    const share = jitter === 'full' ? 1 : 0;
    return backoffMs(backoffs, { firstMs, longestMs, factor, jitter: share }, this.#random);
  }

  /** Callers to whom a host named the same time shall not all come back at once, where the deadline allows it. */
  #spread(waitMs: number, deadline: Deadline | undefined): number {
    if (this.#delays.jitter === 'none') return waitMs;
    const spreadMs = spreadWaitMs(waitMs, this.#random);
    if (!deadline) return Math.min(spreadMs, this.#delays.maxDelayMs);
    return deadline.allows(spreadMs) ? spreadMs : waitMs;
  }

  #succeeded(attempt: number): void {
    this.#ended('ok');
    if (attempt > 1) this.#recovered += 1;
  }

  #failed(error: unknown, signal: AbortSignal): Fault | 'cancelled' {
    const fault = signal.aborted ? 'cancelled' : this.#classify(error);
    this.#ended(fault === 'cancelled' ? fault : fault.category);
    return fault;
  }

  #ended(outcome: AttemptOutcome): void {
    this.#attempts[outcome] += 1;
    this.#metrics?.attemptEnded(outcome);
  }

  #giveUp(reason: GiveUpReason, error: unknown): never {
    this.#givenUp[reason] += 1;
    this.#metrics?.gaveUp(reason);
    throw error;
  }
}

function reasonToStop({ signal, deadline }: CallContext): AppError | undefined {
  if (signal.aborted) return callStopped(signal);
  return deadline?.passed
    ? new AppError('deadline_exceeded', 'The deadline of the call has passed.')
    : undefined;
}
