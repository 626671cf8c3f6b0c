import {
  AppError,
  assessCall,
  type CallAssessor,
  type CallContext,
  type CallEnding,
  executeAdmitted,
  Listeners,
  type Logger,
  newCall,
  parseSettings,
  type Policy,
  type Verdict,
  type Work,
  requireName,
} from '@morgan/foundation';
import {
  type CircuitBreakerConfig,
  circuitBreakerConfig,
  type CircuitBreakerSettings,
} from './circuit-breaker.config.ts';
import type { CircuitBreakerMetrics } from './circuit-breaker-metrics.ts';
import type {
  CircuitChangeReason,
  CircuitState,
  CircuitStateName,
  Closed,
  HalfOpen,
} from './circuit-state.ts';
import type { CircuitOutcome, CircuitStatus, StateChange } from './circuit-status.ts';
import { createTripRules } from './create-trip-rules.ts';
import { ResetDelay } from './reset-delay.ts';
import { TimeWindow } from './time.window.ts';
import { type Trial, TrialCalls } from './trial-calls.ts';

/** What a breaker is made of. */
export interface CircuitBreakerOptions extends CircuitBreakerSettings {
  /** Stands in status, events and metric labels: a configured name, never what a client sent. */
  readonly name: string;
  /** Decides which calls are failures of the host. Default: {@link assessCall}. */
  readonly assess?: CallAssessor | undefined;
  readonly metrics?: CircuitBreakerMetrics | undefined;
  /** Hears of listeners that throw. */
  readonly logger?: Logger | undefined;
}

/** The state object that let a call through, and its trial call where that was HALF_OPEN: each change of state makes a new object. */
type Ticket = { readonly stay: Closed } | { readonly stay: HalfOpen; readonly trial: Trial };

/**
 * Stands in front of one host and refuses calls with `circuit_open` while the host fails. It has no timer: the change to
 * HALF_OPEN happens with the first call after the wait. The work decides how long it takes; give it a deadline.
 */
export class CircuitBreaker implements Policy {
  readonly name: string;
  readonly #config: CircuitBreakerConfig;
  readonly #assess: CallAssessor;
  readonly #metrics: CircuitBreakerMetrics | undefined;
  readonly #listeners: Listeners<StateChange>;
  readonly #delay: ResetDelay;
  readonly #window: TimeWindow;
  readonly #totals: Record<CircuitOutcome, number> = {
    success: 0,
    failure: 0,
    slow: 0,
    rejected: 0,
    ignored: 0,
  };
  #state: CircuitState;
  #lastChange: StateChange | undefined;

  /** @throws ConfigError, which names every setting that is wrong or unknown; TypeError without a name. */
  constructor({ name, assess = assessCall, metrics, logger, ...settings }: CircuitBreakerOptions) {
    this.name = requireName('CircuitBreaker', name);
    this.#config = parseSettings(circuitBreakerConfig, settings);
    this.#assess = assess;
    this.#metrics = metrics;
    this.#listeners = new Listeners(logger);
    this.#delay = new ResetDelay(this.#config);
    this.#window = new TimeWindow(this.#config.windowMs);
    this.#state = this.#closed(false);
    metrics?.watch(this);
  }

  get state(): CircuitStateName {
    return this.#state.name;
  }

  /** Held by `forceOpen` or `forceClose`, until somebody says otherwise. */
  get isHeld(): boolean {
    const state = this.#state;
    return state.name === 'OPEN' ? state.until === Infinity : state.name === 'CLOSED' && state.held;
  }

  /** Whether a call made now would be let through: for choosing among hosts without asking each. */
  allows(): boolean {
    const state = this.#state;
    switch (state.name) {
      case 'CLOSED':
        return true;
      case 'OPEN':
        return performance.now() >= state.until;
      case 'HALF_OPEN':
        return !this.#endOverdue(state) && state.trials.hasRoom;
    }
  }

  /** Refuses what {@link execute} would refuse. It admits nothing. @throws AppError `circuit_open` */
  throwIfOpen(): void {
    if (!this.allows()) this.#refuse();
  }

  /** Runs the work, or rejects with `circuit_open`, whose `retryAfterMs` is the time to the next trial call where it is known. */
  execute<Result>(work: Work<Result>, context: CallContext = newCall()): Promise<Result> {
    return executeAdmitted(this, work, context);
  }

  /**
   * Lets a call through whose end its caller reports, once, by the function that is returned: for calls that are judged
   * later than a promise settles. @throws AppError `circuit_open`, as {@link execute} rejects.
   */
  begin(context: CallContext): (ending: CallEnding) => void {
    const ticket = this.#admit(context);
    const startedAt = performance.now();
    return (ending) => {
      const tookMs = performance.now() - startedAt;
      this.#ended(ticket, tookMs, this.#assess(ending, context, tookMs).verdict);
    };
  }

  /** A listener that throws is logged. @returns a function that ends the subscription. */
  onChange(listener: (change: StateChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Refuses every call until `forceClose` or `reset`. */
  forceOpen(): void {
    this.#become({ name: 'OPEN', since: performance.now(), until: Infinity }, 'forced_open');
  }

  /** Lets every call through, whatever comes of it, until `forceOpen` or `reset`. */
  forceClose(): void {
    this.#become(this.#closed(true), 'forced_closed');
  }

  /** CLOSED and deciding by itself again, with no memory of earlier trips. */
  reset(): void {
    this.#delay.forget();
    this.#become(this.#closed(false), 'reset');
  }

  getStatus(): CircuitStatus {
    const now = performance.now();
    const state = this.#state;
    const figures = {
      name: this.name,
      forMs: now - state.since,
      counts: this.#window.totals(),
      totals: { ...this.#totals },
      trips: this.#delay.trips,
      lastChange: this.#lastChange,
    };
    switch (state.name) {
      case 'CLOSED':
        return { ...figures, state: 'CLOSED', held: state.held };
      case 'OPEN': {
        const held = state.until === Infinity;
        const retryAfterMs = held ? undefined : Math.max(0, Math.ceil(state.until - now));
        return { ...figures, state: 'OPEN', held, retryAfterMs };
      }
      case 'HALF_OPEN':
        return {
          ...figures,
          state: 'HALF_OPEN',
          trialsInFlight: state.trials.size,
          successes: state.successes,
        };
    }
  }

  #admit(context: CallContext): Ticket {
    const state = this.#state;
    switch (state.name) {
      case 'CLOSED':
        return { stay: state };
      case 'OPEN':
        if (performance.now() < state.until) return this.#refuse();
        this.#become(
          { name: 'HALF_OPEN', since: performance.now(), trials: new TrialCalls(this.#config), successes: 0 },
          'reset_timeout_over',
        );
        return this.#admit(context);
      case 'HALF_OPEN':
        return this.#admitTrial(state, context);
    }
  }

  #admitTrial(stay: HalfOpen, { deadline }: CallContext): Ticket {
    if (this.#endOverdue(stay) || !stay.trials.hasRoom) return this.#refuse();
    return { stay, trial: stay.trials.begin(deadline) };
  }

  /** Opens again if a trial call has not ended in time. @returns whether it did. */
  #endOverdue({ trials }: HalfOpen): boolean {
    if (!trials.hasOverdue) return false;
    this.#open('trial_overdue', 0);
    return true;
  }

  #refuse(): never {
    this.#count('rejected');
    const state = this.#state;
    const waitMs = state.name === 'OPEN' ? Math.ceil(state.until - performance.now()) : Infinity;
    throw new AppError('circuit_open', 'The host has failed too often, and its circuit is open.', {
      retryAfterMs: Number.isFinite(waitMs) ? waitMs : undefined,
    });
  }

  #ended(ticket: Ticket, tookMs: number, verdict: Verdict): void {
    if ('trial' in ticket) ticket.stay.trials.end(ticket.trial);
    const isSlow = tookMs >= (this.#config.slowCallMs ?? Infinity);
    const outcome = verdict === 'success' && isSlow ? 'slow' : verdict;
    this.#count(outcome);
    // A stay that is over: the call began before the state changed and says nothing about the host as it is now.
    if (outcome === 'ignored' || ticket.stay !== this.#state) return;
    const failed = outcome !== 'success';
    if (ticket.stay.name === 'CLOSED') this.#judge(ticket.stay, failed, tookMs);
    else this.#trialEnded(ticket.stay, failed);
  }

  #judge({ rules, held, since }: Closed, failed: boolean, tookMs: number): void {
    if (held) return;
    for (const rule of rules) {
      const reason = rule.judge({ failed, tookMs });
      if (reason) return this.#open(reason, performance.now() - since);
    }
  }

  #trialEnded(stay: HalfOpen, failed: boolean): void {
    if (failed) return this.#open('trial_failed', 0);
    stay.successes += 1;
    if (stay.successes >= this.#config.successThreshold)
      this.#become(this.#closed(false), 'trials_succeeded');
  }

  #count(outcome: CircuitOutcome): void {
    this.#totals[outcome] += 1;
    if (outcome !== 'ignored') this.#window.count(outcome);
  }

  #closed(held: boolean): Closed {
    return { name: 'CLOSED', since: performance.now(), held, rules: createTripRules(this.#config) };
  }

  #open(reason: CircuitChangeReason, closedMs: number): void {
    const since = performance.now();
    this.#become({ name: 'OPEN', since, until: since + this.#delay.next(closedMs) }, reason);
  }

  #become(state: CircuitState, reason: CircuitChangeReason): void {
    const from = this.#state.name;
    this.#state = state;
    const change: StateChange = {
      breaker: this.name,
      from,
      to: state.name,
      reason,
      at: Date.now(),
      counts: this.#window.totals(),
      ...(state.name === 'OPEN' && state.until !== Infinity && { openMs: state.until - state.since }),
    };
    this.#lastChange = change;
    this.#metrics?.changed(change);
    this.#listeners.emit(change);
  }
}
