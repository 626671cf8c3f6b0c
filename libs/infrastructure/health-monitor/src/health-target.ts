import { CheckHistory, type ResponseTimes } from './check-history.ts';
import { HealthJudge } from './health-judge.ts';
import type { HealthMonitorConfig } from './health-monitor.config.ts';
import {
  type HealthChangeReason,
  type CheckRecord,
  type CheckVerdict,
  type HealthChange,
  type HealthState,
  isUp,
  type LiveOutcome,
} from './health-state.ts';
import { type HealthCheck, CheckRun } from './check-run.ts';
import { slowStartShare } from './slow-start.ts';
import { Uptime } from './uptime.ts';

/** Everything that is known of one target. Instants are milliseconds since 1970. */
export interface TargetStatus {
  readonly name: string;
  readonly state: HealthState;
  /** When it got into this state; nothing while it is in its first. */
  readonly since?: number;
  /** The share of its usual traffic that it should get, see {@link HealthTarget.weight}. */
  readonly weight: number;
  /** Of the time since something is known of it, in percent. */
  readonly uptimePercent?: number;
  /** Checks in a row that have failed. */
  readonly consecutiveFailures: number;
  /** Checks in a row that have not failed. */
  readonly consecutiveSuccesses: number;
  /** Since the beginning. */
  readonly checks: Readonly<Record<CheckVerdict, number>>;
  /** Over the last 100 checks. */
  readonly responseTimes?: ResponseTimes;
  /** Live calls that were reported. */
  readonly live: { readonly ok: number; readonly failed: number };
  /** The last 100, the oldest first. */
  readonly recentChecks: readonly CheckRecord[];
}

/** Whom a {@link HealthTarget} tells. */
interface HealthObserver {
  checked(target: string, record: CheckRecord): void;
  changed(change: HealthChange): void;
}

/** One target: its checks, one after the other, and what has been learnt from them and from live calls. */
export class HealthTarget {
  readonly #judge: HealthJudge;
  readonly #run: CheckRun;
  readonly #history = new CheckHistory();
  readonly #uptime = new Uptime();
  readonly #live = { ok: 0, failed: 0 };
  #current: Promise<CheckRecord | undefined> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stop = new AbortController();
  #isWatched = false;
  #since: number | undefined;
  #returnedAt = -Infinity;

  constructor(
    readonly name: string,
    check: HealthCheck,
    private readonly config: HealthMonitorConfig,
    private readonly observer: HealthObserver,
  ) {
    this.#judge = new HealthJudge(config);
    this.#run = new CheckRun(check, config.checkTimeoutMs);
  }

  get state(): HealthState {
    return this.#judge.state;
  }

  /** 0 while it is down, a rising share after its return, else 1. */
  get weight(): number {
    if (this.state === 'UNHEALTHY') return 0;
    return slowStartShare(performance.now() - this.#returnedAt, this.config.slowStartMs);
  }

  /** Checks now and from then on. Resolves after the first check. */
  async watch(): Promise<void> {
    this.#isWatched = true;
    await this.check();
  }

  /** Ends the checks. One that is running is aborted and teaches nothing. */
  stop(): void {
    this.#isWatched = false;
    clearTimeout(this.#timer);
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  /** Joins a running check. @returns nothing when it was stopped. */
  check(): Promise<CheckRecord | undefined> {
    this.#current ??= this.#check();
    return this.#current;
  }

  reported({ ok, durationMs }: LiveOutcome): void {
    this.#live[ok ? 'ok' : 'failed'] += 1;
    const now = performance.now();
    const before = this.state;
    this.#changed(before, this.#judge.reported(ok, now - durationMs, now), now);
    // The next check was set for a target that was up.
    if (this.state === 'UNHEALTHY' && before !== 'UNHEALTHY' && this.#isWatched && !this.#current)
      this.#schedule();
  }

  /** Reads a snapshot. */
  getStatus(): TargetStatus {
    const uptimePercent = this.#uptime.percent(performance.now());
    const responseTimes = this.#history.responseTimes();
    return {
      name: this.name,
      state: this.state,
      ...(this.#since !== undefined && { since: this.#since }),
      weight: this.weight,
      ...(uptimePercent !== undefined && { uptimePercent }),
      consecutiveFailures: this.#history.consecutiveFailures,
      consecutiveSuccesses: this.#history.consecutiveSuccesses,
      checks: this.#history.totals,
      ...(responseTimes && { responseTimes }),
      live: { ...this.#live },
      recentChecks: this.#history.list(),
    };
  }

  async #check(): Promise<CheckRecord | undefined> {
    clearTimeout(this.#timer);
    const at = Date.now();
    const beganAt = performance.now();
    const result = await this.#run.once(this.#stop.signal);
    this.#current = undefined;
    // Stopped, and started again while it ran: nothing is known yet of what the start asked for.
    if (!result) return this.#isWatched ? this.check() : undefined;
    const now = performance.now();
    const durationMs = now - beganAt;
    const isSlow = result.verdict === 'ok' && durationMs >= this.config.slowResponseMs;
    const record: CheckRecord = {
      at,
      durationMs,
      ...(isSlow ? { verdict: 'degraded', reason: 'slow' } : result),
    };
    this.#history.add(record);
    this.observer.checked(this.name, record);
    const before = this.state;
    this.#changed(before, this.#judge.checked(record.verdict, beganAt, now), now);
    if (this.#isWatched) this.#schedule();
    return record;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { checkIntervalMs, downCheckIntervalMs = checkIntervalMs, jitter } = this.config;
    const intervalMs = this.state === 'UNHEALTHY' ? downCheckIntervalMs : checkIntervalMs;
    const delayMs = intervalMs * (1 - jitter + 2 * jitter * Math.random());
    this.#timer = setTimeout(() => void this.check(), delayMs).unref();
  }

  #changed(from: HealthState, reason: HealthChangeReason | undefined, now: number): void {
    if (!reason) return;
    const to = this.state;
    this.#since = Date.now();
    this.#uptime.become(to, now);
    if (from === 'UNHEALTHY' && isUp(to)) this.#returnedAt = now;
    const fault = this.#history.last?.reason;
    this.observer.changed({
      target: this.name,
      from,
      to,
      reason,
      ...(fault !== undefined && { fault }),
      at: this.#since,
      consecutiveFailures: this.#history.consecutiveFailures,
      consecutiveSuccesses: this.#history.consecutiveSuccesses,
    });
  }
}
