import { AppError, type CallContext, type Policy, type Work } from '@morgan/foundation';
import {
  type CircuitBreakerConfig,
  circuitBreakerConfig,
  type CircuitBreakerOptions,
} from './circuit-breaker.config.ts';
import type { CircuitBreakerMetrics } from './circuit-breaker-metrics.ts';
import type {
  ChangeReason,
  CircuitState,
  CircuitStateName,
  Closed,
  HalfOpen,
  Probe,
} from './circuit-state.ts';
import type { CallOutcome, CircuitStatus, StateChange } from './circuit-status.ts';
import { createTripRules } from './create-trip-rules.ts';
import { type Classifier, type Ending, hostVerdict } from './host-verdict.ts';
import { ResetDelay } from './reset-delay.ts';
import { StateListeners } from './state-listeners.ts';
import { TimeWindow } from './time.window.ts';

/** What a breaker is made of. */
export interface CircuitBreakerParts {
  /** Stands in status, events and metric labels: a configured name, never what a client sent. */
  readonly name: string;
  readonly config?: CircuitBreakerOptions;
  /** Decides which calls are faults of the host. Default: {@link hostVerdict}. */
  readonly classify?: Classifier;
  readonly metrics?: CircuitBreakerMetrics;
}

/** The stay in a state that let a call through; a probe where that was HALF_OPEN. */
type Ticket = { readonly stay: Closed } | { readonly stay: HalfOpen; readonly probe: Probe };

/**
 * Stands in front of one host and refuses calls with `circuit_open` while the host fails. It has no timer: the change to
 * HALF_OPEN happens with the first call after the wait. The work decides how long it takes; give it a deadline.
 */
export class CircuitBreaker implements Policy {
  readonly name: string;
  readonly #config: CircuitBreakerConfig;
  readonly #classify: Classifier;
  readonly #metrics: CircuitBreakerMetrics | undefined;
  readonly #listeners = new StateListeners();
  readonly #delay: ResetDelay;
  readonly #window: TimeWindow;
  readonly #totals: Record<CallOutcome, number> = {
    success: 0,
    failure: 0,
    slow: 0,
    rejected: 0,
    ignored: 0,
  };
  #state: CircuitState;
  #lastChange: StateChange | undefined;

  constructor({ name, config, classify = hostVerdict, metrics }: CircuitBreakerParts) {
    this.name = name;
    this.#config = circuitBreakerConfig.parse(config);
    this.#classify = classify;
    this.#metrics = metrics;
    this.#delay = new ResetDelay(this.#config);
    this.#window = new TimeWindow(this.#config.windowMs);
    this.#state = this.#closed(false);
    metrics?.watch(this);
  }

  get state(): CircuitStateName {
    return this.#state.name;
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
        return !this.#endOverdue(state) && state.probes.size < this.#config.halfOpenProbes;
    }
  }

  /** Runs the work, or rejects with `circuit_open`, whose `retryAfterMs` is the time to the next probe where it is known. */
  async execute<Result>(work: Work<Result>, context: CallContext): Promise<Result> {
    const ticket = this.#admit(context);
    const startedAt = performance.now();
    let result: Result;
    try {
      result = await work(context);
    } catch (error) {
      this.#ended(ticket, performance.now() - startedAt, this.#outcome({ error }, context));
      throw error;
    }
    this.#ended(ticket, performance.now() - startedAt, this.#outcome({ result }, context));
    return result;
  }

  /** @returns a function that ends the subscription. */
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
          probesInFlight: state.probes.size,
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
          { name: 'HALF_OPEN', since: performance.now(), probes: new Set(), successes: 0 },
          'reset_timeout_over',
        );
        return this.#admit(context);
      case 'HALF_OPEN':
        return this.#admitProbe(state, context);
    }
  }

  #admitProbe(stay: HalfOpen, { deadline }: CallContext): Ticket {
    if (this.#endOverdue(stay) || stay.probes.size >= this.#config.halfOpenProbes) return this.#refuse();
    const probe = { overdueAt: deadline?.at ?? performance.now() + this.#config.probeTimeoutMs };
    stay.probes.add(probe);
    return { stay, probe };
  }

  /** Opens again if a probe has not ended in time. @returns whether it did. */
  #endOverdue({ probes }: HalfOpen): boolean {
    const now = performance.now();
    for (const { overdueAt } of probes) {
      if (now < overdueAt) continue;
      this.#open('probe_overdue', 0);
      return true;
    }
    return false;
  }

  #refuse(): never {
    this.#count('rejected');
    const state = this.#state;
    const waitMs = state.name === 'OPEN' ? Math.ceil(state.until - performance.now()) : Infinity;
    throw new AppError('circuit_open', 'The host fails at the moment and is left alone for a while.', {
      retryAfterMs: Number.isFinite(waitMs) ? waitMs : undefined,
    });
  }

  #outcome(ending: Ending, context: CallContext): 'ok' | 'failure' | 'ignored' {
    const verdict = this.#classify(ending, context);
    if (verdict === 'none') return 'ignored';
    return verdict === 'fault' ? 'failure' : 'ok';
  }

  #ended(ticket: Ticket, tookMs: number, said: 'ok' | 'failure' | 'ignored'): void {
    if ('probe' in ticket) ticket.stay.probes.delete(ticket.probe);
    const isSlow = tookMs >= (this.#config.slowCallMs ?? Infinity);
    const outcome = said === 'ok' ? (isSlow ? 'slow' : 'success') : said;
    this.#count(outcome);
    // A stay that is over: the call began before the state changed and says nothing about the host as it is now.
    if (outcome === 'ignored' || ticket.stay !== this.#state) return;
    const failed = outcome !== 'success';
    if (ticket.stay.name === 'CLOSED') this.#judge(ticket.stay, failed, tookMs);
    else this.#probed(ticket.stay, failed);
  }

  #judge({ rules, held, since }: Closed, failed: boolean, tookMs: number): void {
    if (held) return;
    for (const rule of rules) {
      const reason = rule.judge({ failed, tookMs });
      if (reason) return this.#open(reason, performance.now() - since);
    }
  }

  #probed(stay: HalfOpen, failed: boolean): void {
    if (failed) return this.#open('probe_failed', 0);
    stay.successes += 1;
    if (stay.successes >= this.#config.successThreshold)
      this.#become(this.#closed(false), 'probes_succeeded');
  }

  #count(outcome: CallOutcome): void {
    this.#totals[outcome] += 1;
    if (outcome !== 'ignored') this.#window.count(outcome);
  }

  #closed(held: boolean): Closed {
    return { name: 'CLOSED', since: performance.now(), held, rules: createTripRules(this.#config) };
  }

  #open(reason: ChangeReason, calmMs: number): void {
    const since = performance.now();
    this.#become({ name: 'OPEN', since, until: since + this.#delay.next(calmMs) }, reason);
  }

  #become(state: CircuitState, reason: ChangeReason): void {
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
    this.#listeners.tell(change);
  }
}
