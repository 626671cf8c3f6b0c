import type { TrialCalls } from './trial-calls.ts';
import type { TripReason, TripRule } from './trip-rule.ts';

/** Every call goes through. */
export interface Closed {
  readonly name: 'CLOSED';
  /** `performance.now()` when it began, as in the other states. */
  readonly since: number;
  /** Held by `forceClose`: calls are counted and decide nothing. */
  readonly held: boolean;
  /** New for every stay, so nothing from before counts against a host that came back. */
  readonly rules: readonly TripRule[];
}

/** No call goes through. */
interface Open {
  readonly name: 'OPEN';
  readonly since: number;
  /** When the first trial call may go, on the clock of `performance.now()`; Infinity when held by `forceOpen`. */
  readonly until: number;
}

/** A few calls go through to find out how the host is. */
export interface HalfOpen {
  readonly name: 'HALF_OPEN';
  readonly since: number;
  readonly trials: TrialCalls;
  successes: number;
}

/**
 * A breaker is in exactly one of these. The object stands for one stay in the state: a call remembers the stay it was
 * admitted in, and decides nothing once that is over.
 */
export type CircuitState = Closed | Open | HalfOpen;

/** The name of a state. */
export type CircuitStateName = CircuitState['name'];

/** All states, for metrics. */
export const CIRCUIT_STATES = ['CLOSED', 'OPEN', 'HALF_OPEN'] as const satisfies CircuitStateName[];

/** Why the state changed, as a closed set. */
export type CircuitChangeReason =
  | TripReason
  | 'reset_timeout_over'
  | 'trial_failed'
  /** A trial call did not end in time. */
  | 'trial_overdue'
  | 'trials_succeeded'
  | 'forced_open'
  | 'forced_closed'
  | 'reset';
