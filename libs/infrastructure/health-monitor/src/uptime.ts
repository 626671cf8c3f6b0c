import { type HealthState, isUp } from './health-state.ts';

/** The share of the known time that a target was up, weighted by time. Milliseconds on one monotonic clock. */
export class Uptime {
  #state: HealthState = 'UNKNOWN';
  #since = 0;
  #upMs = 0;
  #knownMs = 0;

  /** The state changed. */
  become(state: HealthState, now: number): void {
    this.#settle(now);
    this.#state = state;
  }

  /** 0 to 100; nothing while nothing is known. A target known for no time at all counts by its state. */
  percent(now: number): number | undefined {
    if (this.#state === 'UNKNOWN') return undefined;
    this.#settle(now);
    if (this.#knownMs === 0) return isUp(this.#state) ? 100 : 0;
    return (this.#upMs / this.#knownMs) * 100;
  }

  #settle(now: number): void {
    const spentMs = now - this.#since;
    this.#since = now;
    if (this.#state === 'UNKNOWN') return;
    this.#knownMs += spentMs;
    if (isUp(this.#state)) this.#upMs += spentMs;
  }
}
