import {
  type HealthIndicator,
  type Listener,
  Listeners,
  type Logger,
  parseSettings,
  silentLogger,
  requireName,
} from '@morgan/foundation';
import type { z } from 'zod';
import type { HealthMetrics } from './health-metrics.ts';
import { healthMonitorConfig } from './health-monitor.config.ts';
import {
  type CheckRecord,
  type HealthChange,
  type HealthState,
  isUp,
  type LiveOutcome,
} from './health-state.ts';
import { HealthTarget, type TargetStatus } from './health-target.ts';
import type { HealthCheck } from './check-run.ts';

/** What to watch, and how; settings that are left out have the defaults of {@link healthMonitorConfig}. */
export type HealthMonitorOptions = z.input<typeof healthMonitorConfig> & {
  /** By name. Names become metric labels: configured ones only. */
  readonly targets: Readonly<Record<string, HealthCheck>>;
  /** Hears of targets that go down or come up. */
  readonly logger?: Logger;
  /** Made once per process. */
  readonly metrics?: HealthMetrics;
};

/** How a monitor or a target shows among the health indicators of a service. */
export interface IndicatorPresentation {
  /** Default: the name of the target, or `targets`. */
  readonly name?: string;
  /** Whether the service is of no use without it. Default true. */
  readonly required?: boolean;
}

/** A monitor's targets, and the whole: all well, all down, nothing known, or something between. */
export interface HealthStatus {
  readonly state: HealthState;
  readonly targets: readonly TargetStatus[];
}

/**
 * Watches named targets: checks each on its own jittered interval, hears of live calls, and holds a snapshot of their
 * health. Its timers keep no process alive.
 */
export class HealthMonitor implements Disposable {
  readonly #targets: ReadonlyMap<string, HealthTarget>;
  readonly #logger: Logger;
  readonly #listeners: Listeners<HealthChange>;
  readonly #metrics: HealthMetrics | undefined;

  /** @throws ConfigError when a setting is out of its bounds or unknown; TypeError for a target that is no function. */
  constructor({ targets, logger = silentLogger, metrics, ...settings }: HealthMonitorOptions) {
    const config = parseSettings(healthMonitorConfig, settings);
    const observer = {
      checked: (target: string, { verdict }: CheckRecord) => metrics?.checked(target, verdict),
      changed: (change: HealthChange) => this.#changed(change),
    };
    this.#logger = logger;
    this.#metrics = metrics;
    this.#listeners = new Listeners(logger);
    this.#targets = new Map(
      Object.entries(targets).map(([name, check]) => {
        requireName('A target of HealthMonitor', name);
        if (typeof check !== 'function') throw new TypeError(`the target "${name}" is no function`);
        return [name, new HealthTarget(name, check, config, observer)];
      }),
    );
    metrics?.watch(this.#targets.values());
  }

  /** A listener that throws is logged. @returns a function that ends the subscription. */
  onChange(listener: Listener<HealthChange>): () => void {
    return this.#listeners.add(listener);
  }

  /** Checks every target at once and from then on. Resolves after the first round, within `checkTimeoutMs`; never rejects. */
  async start(): Promise<void> {
    this.#metrics?.watch(this.#targets.values());
    await Promise.all([...this.#targets.values()].map((target) => target.watch()));
  }

  /** Ends all checks and leaves the metrics until the next `start`. What is known stays readable. */
  stop(): void {
    this.#metrics?.forget(this.#targets.values());
    for (const target of this.#targets.values()) target.stop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** Checks a target at once, or joins the check that is running. @returns nothing when `stop` came between. */
  checkNow(name: string): Promise<CheckRecord | undefined> {
    return this.#target(name).check();
  }

  /**
   * A live call to the target has ended. Only faults of the host are `ok: false`: a 4xx other than 408, 425 and 429 is
   * `ok: true`. Do not report 429, which tells of load and not of health, nor calls that their caller aborted.
   */
  report(name: string, outcome: LiveOutcome): void {
    this.#target(name).reported(outcome);
  }

  stateOf(name: string): HealthState {
    return this.#target(name).state;
  }

  /** The share of its usual traffic that a target should get: 0 while down, rising from 0.1 to 1 after its return. */
  weightOf(name: string): number {
    return this.#target(name).weight;
  }

  /** A target as a health indicator: up while `HEALTHY` or `DEGRADED`. */
  indicatorOf(
    target: string,
    { name = target, required = true }: IndicatorPresentation = {},
  ): HealthIndicator {
    const watched = this.#target(target);
    const read = () => ({ up: isUp(watched.state), details: { state: watched.state } });
    return { name, required, read };
  }

  /** The whole as a health indicator: up while at least one target is, for targets that can stand in for one another. */
  indicator({ name = 'targets', required = true }: IndicatorPresentation = {}): HealthIndicator {
    const targets = [...this.#targets.values()];
    const read = () => ({
      up: targets.some(({ state }) => isUp(state)),
      details: Object.fromEntries(targets.map((target) => [target.name, target.state])),
    });
    return { name, required, read };
  }

  getStatus(): HealthStatus {
    const targets = [...this.#targets.values()];
    return {
      state: wholeOf(targets.map(({ state }) => state)),
      targets: targets.map((target) => target.getStatus()),
    };
  }

  #target(name: string): HealthTarget {
    const target = this.#targets.get(name);
    if (!target) throw new RangeError(`no target is named "${name}"`);
    return target;
  }

  #changed(change: HealthChange): void {
    const { target, from, to, reason, fault } = change;
    const fields = { target, from, reason, ...(fault !== undefined && { fault }) };
    if (to === 'UNHEALTHY') this.#logger.warn(fields, 'target is down');
    else this.#logger.info(fields, `target is ${to.toLowerCase()}`);
    this.#listeners.emit(change);
  }
}

function wholeOf(states: readonly HealthState[]): HealthState {
  const [first = 'UNKNOWN'] = states;
  if (states.every((state) => state === first)) return first;
  return states.some(isUp) ? 'DEGRADED' : 'UNHEALTHY';
}
