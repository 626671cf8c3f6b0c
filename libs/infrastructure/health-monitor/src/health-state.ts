/** What is believed of a target. `UNKNOWN` until its first check or its first live success. */
export type HealthState = 'UNKNOWN' | 'HEALTHY' | 'DEGRADED' | 'UNHEALTHY';

/** Every {@link HealthState}, for closed sets of labels. */
export const HEALTH_STATES = [
  'UNKNOWN',
  'HEALTHY',
  'DEGRADED',
  'UNHEALTHY',
] as const satisfies readonly HealthState[];

/** Whether calls may go there. */
export function isUp(state: HealthState): boolean {
  return state === 'HEALTHY' || state === 'DEGRADED';
}

/** How one check ended. `degraded`: it answered, but too slowly, or it says itself that it is not well. */
export type CheckVerdict = 'ok' | 'degraded' | 'failed';

/** What a check came to. It may say so itself, in place of resolving (`ok`) or rejecting (`failed`). */
export interface CheckOutcome {
  readonly verdict: CheckVerdict;
  /** A short code, shown in the status and in events. Never text from a request. */
  readonly reason?: string;
}

/** One check of one target. */
export interface CheckRecord {
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  readonly verdict: CheckVerdict;
  readonly durationMs: number;
  /** Why it is not `ok`: `slow`, `timeout`, `stuck`, the code of the error, or what the check said. */
  readonly reason?: string;
}

/** How one live call ended. Calls that their caller aborted say nothing of the host and are not reported. */
export interface LiveOutcome {
  /** False only for a fault of the host; a 4xx is the caller's own fault, so the host did its part. */
  readonly ok: boolean;
  /** From its beginning until now, in milliseconds. */
  readonly durationMs: number;
}

/** Why a state changed. */
export type HealthChangeReason =
  /** The first check, or the first live success before it. */
  | 'first_outcome'
  /** `failureThreshold` checks in a row failed. */
  | 'checks_failed'
  /** `liveFailureThreshold` live calls in a row failed within one interval. */
  | 'live_calls_failed'
  /** `slowThreshold` checks in a row were slow, degraded or failed. */
  | 'checks_degraded'
  /** `successThreshold` checks in a row were good and fast. */
  | 'checks_good'
  /** `successThreshold` successes in a row while it was down. */
  | 'recovered';

/** A target changed its state. */
export interface HealthChange {
  readonly target: string;
  readonly from: HealthState;
  readonly to: HealthState;
  readonly reason: HealthChangeReason;
  /** Why the last check was not `ok`, if it was not. */
  readonly fault?: string;
  /** In milliseconds since 1970. */
  readonly at: number;
  /** Checks in a row that have failed. */
  readonly consecutiveFailures: number;
  /** Checks in a row that have not failed. */
  readonly consecutiveSuccesses: number;
}
