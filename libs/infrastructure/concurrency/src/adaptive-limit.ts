import type { AdaptiveLimitConfig } from './concurrency.config.ts';
import { LatencyBatch } from './latency-batch.ts';

/** One call that has ended. The times may come from any clock, in milliseconds, as long as it is always the same. */
export interface LatencySample {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Calls that went on when this one began, itself included. */
  readonly inFlight: number;
  /** The host gave it up for overload: a timeout, 429, 503. Its latency says nothing then. */
  readonly dropped: boolean;
}

/**
 * What is being measured. `cruise`: whether the knee still holds. `push`: whether the host serves more than that.
 * `calm`: its latency without a queue.
 */
export type AdaptiveLimitPhase = 'cruise' | 'push' | 'calm';

/** The state of an {@link AdaptiveLimit}. */
export interface AdaptiveLimitStatus {
  readonly phase: AdaptiveLimitPhase;
  /** Calls that may go on now: the knee times the gain of the phase. */
  readonly limit: number;
  /** Calls that the host is believed to serve at a time without queueing. */
  readonly knee: number;
  /** Mean latency of the host without a queue, in milliseconds; undefined before it has been measured. */
  readonly calmMs: number | undefined;
}

/** The limit of a phase as a share of the knee. */
const PUSH_GAIN = 1.25;
const CALM_GAIN = 0.5;
/** Cruise steps between two pushes. */
const CRUISE_STEPS = 5;
/** Samples of one step: enough for latencies that scatter as much as their mean. A large limit takes two rounds. */
const STEP_SAMPLES = 200;
const CALM_SAMPLES = 400;
/** Samples between two measurements of the calm latency once it is well known; fewer before. */
const SAMPLES_BETWEEN_CALM = 20 * CALM_SAMPLES;
/** The calm latency is measured again when the knee has moved by this factor: one of the two may be wrong. */
const KNEE_MOVED = 1.6;
/** The weight of a new calm latency in the average once it is well known. */
const CALM_WEIGHT = 0.1;
/** A calm latency that differs by this factor is a change of the host, not noise. */
const CALM_CHANGED = 1.25;
/** How far a push moves the knee towards the one that it found. */
const SMOOTHING = 0.4;
/** A push that finds at least this share of its limit served has not reached the knee. */
const UNREACHED = 0.95;
/** A cruise that finds less than this share of the knee corrects it at once. */
const KNEE_FALLEN = 0.75;
/** One step takes at most half away: one bad batch is not a trend. */
const STEEPEST = 0.5;
/** What a drop leaves of the knee. */
const BACKOFF = 0.9;

/**
 * Finds how many calls a host serves at a time without queueing (its knee) from their latency. The rule is that of TCP
 * Vegas as in Netflix's concurrency-limits (`VegasLimit`): limit × calm latency ÷ latency is what the host really
 * serves, the rest of the limit queues; its `Gradient2Limit` gives the mean in place of the minimum, the halving at
 * most per step and the rule that calls below half of the limit never move it. Like BBR (Cardwell et al., 2016) it
 * measures the knee in short pushes of 1.25 times the limit, and the calm latency in rare dips to half of it, so that
 * an error of the calm latency shifts the knee by no more than itself. Drops take a tenth off, once per overload.
 */
export class AdaptiveLimit {
  readonly #config: AdaptiveLimitConfig;
  readonly #step = new LatencyBatch();
  readonly #calm = new LatencyBatch();
  #phase: AdaptiveLimitPhase = 'cruise';
  #cruises = 0;
  #stepLimit: number;
  #knee: number;
  #calmMs: number | undefined;
  /** Measurements that the calm latency is the average of. */
  #calmBatches = 0;
  #samplesSinceCalm = 0;
  #kneeAtCalm: number;
  #backedOffAtMs = -Infinity;

  constructor(config: AdaptiveLimitConfig) {
    this.#config = config;
    this.#knee = this.#kneeAtCalm = this.#stepLimit = config.initialLimit;
  }

  /** Calls that may go on now. */
  get limit(): number {
    return this.#limitOf(this.#phase);
  }

  record({ startedAtMs, endedAtMs, inFlight, dropped }: LatencySample): void {
    if (dropped) {
      this.#backOff(startedAtMs, endedAtMs);
      return;
    }
    const latencyMs = endedAtMs - startedAtMs;
    if (inFlight <= this.#limitOf('calm')) this.#recordCalm(latencyMs, inFlight);
    if (!this.#tells(inFlight)) return;
    this.#step.add(latencyMs, inFlight);
    if (this.#step.count >= Math.max(STEP_SAMPLES, 2 * this.#knee)) this.#endStep();
  }

  getStatus(): AdaptiveLimitStatus {
    return { phase: this.#phase, limit: this.limit, knee: this.#knee, calmMs: this.#calmMs };
  }

  #limitOf(phase: AdaptiveLimitPhase): number {
    const { minLimit, maxLimit } = this.#config;
    const cruise = Math.round(this.#knee);
    if (phase === 'cruise') return cruise;
    if (phase === 'calm') return Math.max(minLimit, Math.floor(this.#knee * CALM_GAIN));
    return Math.min(maxLimit, Math.max(cruise + 1, Math.round(this.#knee * PUSH_GAIN)));
  }

  /** Whether a call that began with so many in flight shows what the phase asks. An idle host shows nothing. */
  #tells(inFlight: number): boolean {
    const cruise = this.#limitOf('cruise');
    if (this.#phase === 'push') return inFlight > cruise;
    return this.#phase === 'cruise' && inFlight >= cruise;
  }

  #recordCalm(latencyMs: number, inFlight: number): void {
    this.#calm.add(latencyMs, inFlight);
    if (this.#calm.count < CALM_SAMPLES) return;
    const { meanMs } = this.#calm;
    const known = this.#calmMs;
    if (known === undefined || meanMs > known * CALM_CHANGED || meanMs < known / CALM_CHANGED) {
      this.#calmBatches = 1;
      this.#calmMs = meanMs;
    } else {
      this.#calmBatches += 1;
      this.#calmMs = known + Math.max(CALM_WEIGHT, 1 / this.#calmBatches) * (meanMs - known);
    }
    this.#samplesSinceCalm = 0;
    this.#kneeAtCalm = this.#knee;
    this.#calm.restart();
    if (this.#phase === 'calm') this.#begin('cruise');
  }

  #endStep(): void {
    this.#samplesSinceCalm += this.#step.count;
    let reached = true;
    if (this.#calmMs !== undefined) {
      const served = (this.#step.meanInFlight * this.#calmMs) / this.#step.meanMs;
      const found = Math.max(this.#knee * STEEPEST, Math.min(this.limit, served));
      reached = served < this.limit * UNREACHED;
      if (this.#phase === 'push')
        this.#setKnee(reached ? this.#knee + SMOOTHING * (found - this.#knee) : found);
      else if (found < this.#knee * KNEE_FALLEN) this.#setKnee(found);
    }
    this.#begin(this.#next(reached));
  }

  #next(reached: boolean): AdaptiveLimitPhase {
    if (this.#calmIsStale()) return 'calm';
    const pushing = this.#phase === 'push';
    this.#cruises = pushing ? 0 : this.#cruises + 1;
    const due = pushing ? !reached : this.#cruises >= CRUISE_STEPS;
    return due && this.#limitOf('push') > this.#limitOf('cruise') ? 'push' : 'cruise';
  }

  #calmIsStale(): boolean {
    if (this.#calmMs === undefined) return true;
    const moved = this.#knee / this.#kneeAtCalm;
    if (moved > KNEE_MOVED || moved < 1 / KNEE_MOVED) return true;
    return this.#samplesSinceCalm >= SAMPLES_BETWEEN_CALM * Math.min(1, this.#calmBatches * CALM_WEIGHT);
  }

  #begin(phase: AdaptiveLimitPhase): void {
    const before = this.#stepLimit;
    this.#phase = phase;
    this.#stepLimit = this.limit;
    this.#step.restart(this.#stepLimit === before ? 0 : this.#stepLimit);
    if (phase === 'calm') this.#calm.restart(this.limit);
  }

  #backOff(startedAtMs: number, endedAtMs: number): void {
    // One reduction for all the calls that met the same overload.
    if (startedAtMs < this.#backedOffAtMs) return;
    this.#backedOffAtMs = endedAtMs;
    this.#setKnee(this.#knee * BACKOFF);
    this.#step.restart(this.limit);
  }

  #setKnee(knee: number): void {
    this.#knee = Math.max(this.#config.minLimit, Math.min(this.#config.maxLimit, knee));
  }
}
