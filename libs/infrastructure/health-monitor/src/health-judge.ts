import { FailureBurst } from './failure-burst.ts';
import type { HealthMonitorConfig } from './health-monitor.config.ts';
import type { HealthChangeReason, CheckVerdict, HealthState } from './health-state.ts';
import { Hysteresis } from './hysteresis.ts';

/**
 * Turns the outcomes of checks and of live calls into one state. Two beliefs with hysteresis make it up: whether the
 * target is down, and whether it is slow. Times are milliseconds on one monotonic clock. The rules are in the README.
 */
export class HealthJudge {
  readonly #down: Hysteresis;
  readonly #slow: Hysteresis;
  readonly #burst: FailureBurst;
  #isKnown = false;
  /** When it last went down or came up. What began earlier belongs to its former life. */
  #turnedAt = -Infinity;
  #failingSince = Infinity;
  #liveSuccessCounts = true;

  constructor(config: HealthMonitorConfig) {
    this.#down = new Hysteresis(config.failureThreshold, config.successThreshold);
    this.#slow = new Hysteresis(config.slowThreshold, config.successThreshold);
    this.#burst = new FailureBurst(config.liveFailureThreshold, config.checkIntervalMs);
  }

  get state(): HealthState {
    if (!this.#isKnown) return 'UNKNOWN';
    if (this.#down.raised) return 'UNHEALTHY';
    return this.#slow.raised ? 'DEGRADED' : 'HEALTHY';
  }

  /** A check has ended. @returns why the state changed, if it did. */
  checked(verdict: CheckVerdict, beganAt: number, now: number): HealthChangeReason | undefined {
    if (beganAt < this.#turnedAt) return undefined;
    const before = this.state;
    const failed = verdict === 'failed';
    this.#liveSuccessCounts = true;
    if (!this.#isKnown) this.#decide(failed);
    else {
      this.#down.observe(failed);
      if (failed && this.#down.against === 1) this.#failingSince = beganAt;
    }
    this.#slow.observe(verdict !== 'ok');
    return this.#changeSince(before, before === 'UNKNOWN' ? 'first_outcome' : 'checks_failed', now);
  }

  /** A live call has ended. @returns why the state changed, if it did. */
  reported(ok: boolean, beganAt: number, now: number): HealthChangeReason | undefined {
    if (beganAt < this.#turnedAt) return undefined;
    const before = this.state;
    if (ok) this.#succeeded(beganAt);
    else this.#failed(now);
    return this.#changeSince(before, 'live_calls_failed', now);
  }

  #succeeded(beganAt: number): void {
    if (!this.#isKnown) this.#decide(false);
    this.#burst.clear();
    if (this.#down.raised) {
      // Many calls that succeed together are one observation: they saw the same moment.
      if (this.#liveSuccessCounts) this.#down.observe(false);
      this.#liveSuccessCounts = false;
    } else if (beganAt >= this.#failingSince) {
      // An older call may end well on a host that takes no new ones any more.
      this.#down.observe(false);
    }
  }

  #failed(now: number): void {
    if (this.#down.raised) this.#down.observe(true);
    else if (this.#burst.add(now)) this.#decide(true);
  }

  #decide(isDown: boolean): void {
    this.#isKnown = true;
    this.#down.set(isDown);
  }

  #changeSince(
    before: HealthState,
    downReason: HealthChangeReason,
    now: number,
  ): HealthChangeReason | undefined {
    const after = this.state;
    if (after === before) return undefined;
    if (after === 'UNHEALTHY' || before === 'UNHEALTHY') {
      this.#turnedAt = now;
      this.#burst.clear();
    }
    if (after === 'UNHEALTHY') return downReason;
    if (before === 'UNKNOWN') return 'first_outcome';
    if (before === 'UNHEALTHY') return 'recovered';
    return after === 'DEGRADED' ? 'checks_degraded' : 'checks_good';
  }
}
