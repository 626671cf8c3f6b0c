import type { CircuitChangeReason, CircuitStateName } from './circuit-state.ts';
import type { WindowCounts } from './time.window.ts';

/** One change of state, told after it has happened. */
export interface StateChange {
  /** Name of the breaker. */
  readonly breaker: string;
  readonly from: CircuitStateName;
  readonly to: CircuitStateName;
  readonly reason: CircuitChangeReason;
  /** Wall clock, milliseconds since 1970. */
  readonly at: number;
  /** What calls came to in the rolling window before the change. */
  readonly counts: WindowCounts;
  /** How long it stays OPEN before a trial call; none in the other states and when held. */
  readonly openMs?: number;
}

/** How a call at a breaker ended, as a closed set. `ignored` says nothing about the host. */
export type CircuitOutcome = keyof WindowCounts | 'ignored';

/** All outcomes, for metrics. */
export const CIRCUIT_OUTCOMES = [
  'success',
  'failure',
  'slow',
  'rejected',
  'ignored',
] as const satisfies CircuitOutcome[];

interface Figures {
  readonly name: string;
  /** How long it has been in this state. */
  readonly forMs: number;
  /** Of the last `windowMs`. */
  readonly counts: WindowCounts;
  /** Since the breaker was made. */
  readonly totals: Readonly<Record<CircuitOutcome, number>>;
  /** Trips in a row, each sooner after closing than the wait before was long; each doubles the time it stays OPEN. */
  readonly trips: number;
  readonly lastChange: StateChange | undefined;
}

/** What can be said about a breaker right now. */
export type CircuitStatus =
  | (Figures & {
      readonly state: 'CLOSED';
      /** Held by `forceClose`. */
      readonly held: boolean;
    })
  | (Figures & {
      readonly state: 'OPEN';
      /** Held by `forceOpen`. */
      readonly held: boolean;
      /** Time to the next trial call; 0 when the next call is one. None when held. */
      readonly retryAfterMs: number | undefined;
    })
  | (Figures & {
      readonly state: 'HALF_OPEN';
      readonly trialsInFlight: number;
      /** Trial calls that succeeded so far. */
      readonly successes: number;
    });
