/** Waits shorter than this are rounding, not waiting. Milliseconds. */
export const ROUNDING_MS = 1e-6;

/** What one key has used of its limit. Times are milliseconds of one clock that never goes back. */
export interface Meter {
  /** How long after `now` so many units could be taken, if nobody else took any; 0: at once. Takes nothing. */
  waitMs(now: number, units: number): number;
  /** Takes units, whether they fit or not. */
  take(now: number, units: number): void;
  /** Changes by `delta` what was taken at `takenAt`. What has been refilled since is not given back a second time. */
  correct(now: number, takenAt: number, delta: number): void;
  /** Uses up all that is left. */
  drain(now: number): void;
  /** Units in use; above the capacity after a correction upwards. */
  used(now: number): number;
}
