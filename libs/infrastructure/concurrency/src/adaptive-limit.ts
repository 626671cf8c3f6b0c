import { parseSettings } from '@morgan/foundation';
import {
  type AdaptiveLimitConfig,
  adaptiveLimitConfig,
  type AdaptiveLimitSettings,
} from './concurrency.config.ts';
import { LatencyBatch } from './latency-batch.ts';
import { MeanSinceChange } from './mean-since-change.ts';

/** One call that has ended. The times may come from any clock, in milliseconds, as long as it is always the same. */
interface LatencySample {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Calls that went on when this one began, itself included. */
  readonly inFlight: number;
  /** The host gave it up for overload: a timeout, 429, 503. Its latency says nothing then. */
  readonly dropped: boolean;
}

/**
 * What is being measured. `cruise`: whether the BDP still holds. `probe_bandwidth`: whether the host serves more than that.
 * `probe_rtt`: its latency without a queue.
 */
type AdaptiveLimitPhase = 'cruise' | 'probe_bandwidth' | 'probe_rtt';

/** The state of an {@link AdaptiveLimit}. */
export interface AdaptiveLimitStatus {
  readonly phase: AdaptiveLimitPhase;
  /** Calls that may run now: the BDP times the gain of the phase. */
  readonly limit: number;
  /** Bandwidth-delay product: calls that the host is believed to serve at a time without queueing. */
  readonly bdp: number;
  /** Latency of the host without a queue, in milliseconds, as a mean; undefined before it has been measured. */
  readonly minRttMs: number | undefined;
}

/** The limit of a phase as a share of the BDP. */
const PROBE_BANDWIDTH_GAIN = 1.25;
const PROBE_RTT_GAIN = 0.5;
/** Samples of one step: the fewest that say something. A large limit takes two rounds. */
const STEP_SAMPLES = 200;
const PROBE_RTT_SAMPLES = 400;
/** Rounds of calls that are passed over when the limit has moved: the first of a new crowd to end are the short ones. */
const SETTLING_ROUNDS = 2;
/** By this share the limit moves from phase to phase, but not from one bandwidth probe to the next that agrees with it. */
const LIMIT_MOVED = 0.1;
/** For so many samples that the pace is known from, one more cruise step between two bandwidth probes: up to ten. */
const SAMPLES_PER_CRUISE = 800;
/** The min RTT is measured again when the BDP has moved by this factor: one of the two may be wrong. */
const BDP_MOVED = 1.6;
/** A bandwidth probe that finds at least this share of its limit served has not reached the BDP. */
const UNREACHED = 0.9;
/** A cruise that finds less than this share of its limit served corrects the BDP at once. */
const BDP_FALLEN = 0.7;
/** The bdp falls to half of it at once at most: one bad batch is not a trend. */
const STEEPEST = 0.5;
/** What a clock cannot tell from nothing counts as this, in milliseconds: the BDP is a ratio of latencies. */
const SHORTEST_MS = 0.001;
/** What a drop leaves of the BDP. */
const BACKOFF = 0.9;

/**
 * Finds how many calls a host serves at a time without queueing (its bandwidth-delay product, BDP) from their latency. The rule is that of TCP
 * Vegas as in Netflix's concurrency-limits (`VegasLimit`): limit × min RTT ÷ latency is what the host really
 * serves, the rest of the limit queues; its `Gradient2Limit` gives the mean in place of the minimum, the halving at
 * most per step and the rule that calls below half of the limit never move it. So the BDP is min RTT ÷ pace, where
 * pace is the latency ÷ limit of a full host: the time from one response to the next. Like BBR (Cardwell et al., 2016) it
 * measures the two apart: the pace in short bandwidth probes of 1.25 times the limit, the min RTT in dips to half of it, so
 * that an error of the min RTT shifts the BDP by no more than itself. Each is the mean since it last changed
 * ({@link MeanSinceChange}); the better it is known, the rarer it is measured, and while it is in doubt, again at once.
 * Drops take a tenth off, once per overload.
 */
export class AdaptiveLimit {
  readonly #config: AdaptiveLimitConfig;
  readonly #step = new LatencyBatch();
  readonly #minRttStep = new LatencyBatch();
  readonly #paceMs = new MeanSinceChange();
  readonly #minRttMs = new MeanSinceChange();
  #phase: AdaptiveLimitPhase = 'cruise';
  #cruises = 0;
  #stepLimit: number;
  #bdp: number;
  #samplesSinceMinRtt = 0;
  #bdpAtMinRtt: number;
  #backedOffAtMs = -Infinity;

  /** @throws ConfigError, which names every setting that is wrong. */
  constructor(settings?: AdaptiveLimitSettings) {
    this.#config = parseSettings(adaptiveLimitConfig, settings);
    this.#bdp = this.#bdpAtMinRtt = this.#stepLimit = this.#config.initialLimit;
  }

  /** Calls that may run now. */
  get limit(): number {
    return this.#limitOf(this.#phase);
  }

  record({ startedAtMs, endedAtMs, inFlight, dropped }: LatencySample): void {
    if (dropped) {
      this.#backOff(startedAtMs, endedAtMs);
      return;
    }
    const latencyMs = Math.max(SHORTEST_MS, endedAtMs - startedAtMs);
    if (inFlight <= this.#limitOf('probe_rtt')) this.#recordMinRtt(latencyMs, inFlight);
    if (!this.#isInformative(inFlight)) return;
    this.#step.add(latencyMs, inFlight);
    if (this.#step.count >= Math.max(STEP_SAMPLES, 2 * this.#bdp)) this.#endStep();
  }

  getStatus(): AdaptiveLimitStatus {
    const minRttMs = this.#minRttMs.samples > 0 ? this.#minRttMs.mean : undefined;
    return { phase: this.#phase, limit: this.limit, bdp: this.#bdp, minRttMs };
  }

  #limitOf(phase: AdaptiveLimitPhase): number {
    const { minLimit, maxLimit } = this.#config;
    const cruise = Math.round(this.#bdp);
    if (phase === 'cruise') return cruise;
    if (phase === 'probe_rtt') return Math.max(minLimit, Math.floor(this.#bdp * PROBE_RTT_GAIN));
    return Math.min(maxLimit, Math.max(cruise + 1, Math.round(this.#bdp * PROBE_BANDWIDTH_GAIN)));
  }

  /** Whether a call that began with so many in flight shows what the phase asks. An idle host shows nothing. */
  #isInformative(inFlight: number): boolean {
    const cruise = this.#limitOf('cruise');
    if (this.#phase === 'probe_bandwidth') return inFlight > cruise;
    return this.#phase === 'cruise' && inFlight >= cruise;
  }

  #recordMinRtt(latencyMs: number, inFlight: number): void {
    this.#minRttStep.add(latencyMs, inFlight);
    const { count, meanMs } = this.#minRttStep;
    if (count < PROBE_RTT_SAMPLES) return;
    // Another min RTT is another host: its pace is no longer known either.
    if (this.#minRttMs.add(meanMs, count)) this.#paceMs.restart();
    this.#samplesSinceMinRtt = 0;
    this.#minRttStep.restart();
    if (this.#phase !== 'probe_rtt' || this.#minRttMs.doubted) return;
    if (this.#paceMs.samples > 0) this.#setBdp(this.#minRttMs.mean / this.#paceMs.mean);
    this.#bdpAtMinRtt = this.#bdp;
    this.#begin('cruise');
  }

  #endStep(): void {
    const { count, meanMs, meanInFlight } = this.#step;
    this.#samplesSinceMinRtt += count;
    const paceMs = meanMs / meanInFlight;
    // NaN at first, and then below nothing.
    const served = this.#minRttMs.mean / paceMs;
    if (this.#phase === 'probe_bandwidth') {
      const unreached = served > this.limit * UNREACHED;
      const renewed = this.#paceMs.add(paceMs, count);
      this.#setBdp(Math.min(this.limit, this.#minRttMs.mean / this.#paceMs.mean));
      // A host that is not full shows the limit and not its own pace: the next bandwidth probe counts alone.
      if (renewed && unreached) this.#paceMs.restart();
    } else if (served < this.limit * BDP_FALLEN) {
      this.#setBdp(served);
      this.#paceMs.restart();
    }
    this.#begin(this.#next());
  }

  #next(): AdaptiveLimitPhase {
    if (this.#minRttIsStale()) return 'probe_rtt';
    this.#cruises = this.#phase === 'probe_bandwidth' ? 0 : this.#cruises + 1;
    const due =
      this.#paceMs.doubted || this.#cruises >= Math.floor(this.#paceMs.samples / SAMPLES_PER_CRUISE);
    return due && this.#limitOf('probe_bandwidth') > this.#limitOf('cruise') ? 'probe_bandwidth' : 'cruise';
  }

  #minRttIsStale(): boolean {
    const moved = this.#bdp / this.#bdpAtMinRtt;
    if (moved > BDP_MOVED || moved < 1 / BDP_MOVED) return true;
    // The better it is known, the rarer it is measured: in every other call at most.
    return this.#samplesSinceMinRtt >= this.#minRttMs.samples;
  }

  #begin(phase: AdaptiveLimitPhase): void {
    this.#phase = phase;
    const moved = Math.abs(this.limit - this.#stepLimit) > LIMIT_MOVED * this.#stepLimit;
    this.#step.restart(moved ? SETTLING_ROUNDS * this.limit : 0);
    this.#stepLimit = this.limit;
    if (phase === 'probe_rtt') this.#minRttStep.restart(SETTLING_ROUNDS * this.limit);
  }

  #backOff(startedAtMs: number, endedAtMs: number): void {
    // One reduction for all the calls that met the same overload.
    if (startedAtMs < this.#backedOffAtMs) return;
    this.#backedOffAtMs = endedAtMs;
    this.#setBdp(this.#bdp * BACKOFF);
    this.#paceMs.restart();
    this.#step.restart(this.limit);
  }

  #setBdp(found: number): void {
    const { minLimit, maxLimit } = this.#config;
    const bdp = Math.max(found, this.#bdp * STEEPEST);
    this.#bdp = Math.max(minLimit, Math.min(maxLimit, bdp));
  }
}
