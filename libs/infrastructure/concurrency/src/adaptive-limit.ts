import type { AdaptiveLimitConfig } from './concurrency.config.ts';
import { LatencyBatch } from './latency-batch.ts';
import { MeanSinceChange } from './mean-since-change.ts';

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
/** Samples of one step: the least that tell something. A large limit takes two rounds. */
const STEP_SAMPLES = 200;
const CALM_SAMPLES = 400;
/** Rounds of calls that are passed over when the limit has moved: the first of a new crowd to end are the short ones. */
const SETTLING_ROUNDS = 2;
/** By this share the limit moves from phase to phase, but not from one push to the next that agrees with it. */
const LIMIT_MOVED = 0.1;
/** For so many samples that the pace is known from, one more cruise step between two pushes: up to ten. */
const SAMPLES_PER_CRUISE = 800;
/** The calm latency is measured again when the knee has moved by this factor: one of the two may be wrong. */
const KNEE_MOVED = 1.6;
/** A push that finds at least this share of its limit served has not reached the knee. */
const UNREACHED = 0.9;
/** A cruise that finds less than this share of its limit served corrects the knee at once. */
const KNEE_FALLEN = 0.7;
/** The knee falls to half of it at once at most: one bad batch is not a trend. */
const STEEPEST = 0.5;
/** What a drop leaves of the knee. */
const BACKOFF = 0.9;

/**
 * Finds how many calls a host serves at a time without queueing (its knee) from their latency. The rule is that of TCP
 * Vegas as in Netflix's concurrency-limits (`VegasLimit`): limit × calm latency ÷ latency is what the host really
 * serves, the rest of the limit queues; its `Gradient2Limit` gives the mean in place of the minimum, the halving at
 * most per step and the rule that calls below half of the limit never move it. So the knee is calm latency ÷ pace, where
 * pace is the latency ÷ limit of a full host: the time from one answer to the next. Like BBR (Cardwell et al., 2016) it
 * measures the two apart: the pace in short pushes of 1.25 times the limit, the calm latency in dips to half of it, so
 * that an error of the calm latency shifts the knee by no more than itself. Each is the mean since it last changed
 * ({@link MeanSinceChange}); the better it is known, the rarer it is measured, and while it is in doubt, again at once.
 * Drops take a tenth off, once per overload.
 */
export class AdaptiveLimit {
  readonly #config: AdaptiveLimitConfig;
  readonly #step = new LatencyBatch();
  readonly #calmStep = new LatencyBatch();
  readonly #paceMs = new MeanSinceChange();
  readonly #calmMs = new MeanSinceChange();
  #phase: AdaptiveLimitPhase = 'cruise';
  #cruises = 0;
  #stepLimit: number;
  #knee: number;
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
    const calmMs = this.#calmMs.samples > 0 ? this.#calmMs.mean : undefined;
    return { phase: this.#phase, limit: this.limit, knee: this.#knee, calmMs };
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
    this.#calmStep.add(latencyMs, inFlight);
    const { count, meanMs } = this.#calmStep;
    if (count < CALM_SAMPLES) return;
    // Another calm latency is another host: its pace is no longer known either.
    if (this.#calmMs.add(meanMs, count)) this.#paceMs.restart();
    this.#samplesSinceCalm = 0;
    this.#calmStep.restart();
    if (this.#phase !== 'calm' || this.#calmMs.doubted) return;
    if (this.#paceMs.samples > 0) this.#setKnee(this.#calmMs.mean / this.#paceMs.mean);
    this.#kneeAtCalm = this.#knee;
    this.#begin('cruise');
  }

  #endStep(): void {
    const { count, meanMs, meanInFlight } = this.#step;
    this.#samplesSinceCalm += count;
    const paceMs = meanMs / meanInFlight;
    // NaN at first, and then below nothing.
    const served = this.#calmMs.mean / paceMs;
    if (this.#phase === 'push') {
      const unreached = served > this.limit * UNREACHED;
      const renewed = this.#paceMs.add(paceMs, count);
      this.#setKnee(Math.min(this.limit, this.#calmMs.mean / this.#paceMs.mean));
      // A host that is not full shows the limit and not its own pace: the next push counts alone.
      if (renewed && unreached) this.#paceMs.restart();
    } else if (served < this.limit * KNEE_FALLEN) {
      this.#setKnee(served);
      this.#paceMs.restart();
    }
    this.#begin(this.#next());
  }

  #next(): AdaptiveLimitPhase {
    if (this.#calmIsStale()) return 'calm';
    this.#cruises = this.#phase === 'push' ? 0 : this.#cruises + 1;
    const due =
      this.#paceMs.doubted || this.#cruises >= Math.floor(this.#paceMs.samples / SAMPLES_PER_CRUISE);
    return due && this.#limitOf('push') > this.#limitOf('cruise') ? 'push' : 'cruise';
  }

  #calmIsStale(): boolean {
    const moved = this.#knee / this.#kneeAtCalm;
    if (moved > KNEE_MOVED || moved < 1 / KNEE_MOVED) return true;
    // The better it is known, the rarer it is measured: in every other call at most.
    return this.#samplesSinceCalm >= this.#calmMs.samples;
  }

  #begin(phase: AdaptiveLimitPhase): void {
    this.#phase = phase;
    const moved = Math.abs(this.limit - this.#stepLimit) > LIMIT_MOVED * this.#stepLimit;
    this.#step.restart(moved ? SETTLING_ROUNDS * this.limit : 0);
    this.#stepLimit = this.limit;
    if (phase === 'calm') this.#calmStep.restart(SETTLING_ROUNDS * this.limit);
  }

  #backOff(startedAtMs: number, endedAtMs: number): void {
    // One reduction for all the calls that met the same overload.
    if (startedAtMs < this.#backedOffAtMs) return;
    this.#backedOffAtMs = endedAtMs;
    this.#setKnee(this.#knee * BACKOFF);
    this.#paceMs.restart();
    this.#step.restart(this.limit);
  }

  #setKnee(found: number): void {
    const { minLimit, maxLimit } = this.#config;
    const knee = Math.max(found, this.#knee * STEEPEST);
    this.#knee = Math.max(minLimit, Math.min(maxLimit, knee));
  }
}
