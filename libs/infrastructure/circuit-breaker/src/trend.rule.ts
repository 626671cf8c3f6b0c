import type { CircuitBreakerConfig } from './circuit-breaker.config.ts';
import { Cusum } from './cusum.ts';
import { RunningBaseline } from './running-baseline.ts';
import type { EndedCall, TripReason, TripRule } from './trip-rule.ts';

/** The usual share of failures is taken to be at least this: nothing is ever seen to be perfect for ever. */
const LEAST_ERROR_RATE = 0.01;
/** And the troubled share to be at least this many times the usual one, or a flaky host could not be told from a failing one. */
const LEAST_RATIO = 4;
const MOST_ERROR_RATE = 0.95;
/** The least spread of the logarithm of latencies, some 20 %, or a very even host would alarm at nothing. */
const LEAST_DEVIATION = 0.2;
/** What the clock cannot tell from nothing, for the logarithm's sake. */
const SHORTEST_MS = 0.001;

/**
 * Opens before the hard threshold, when failures or latencies drift away from the host's own baseline. Two likelihood
 * ratio tests, each summed up by {@link Cusum}: failures as coin tosses with the usual share against the troubled one,
 * logarithms of good latencies as a normal distribution against the same one shifted by `latencyFactor`. The baseline
 * learns from a call only if nothing spoke for trouble before it, so that a slow decline is not taken for the usual state.
 */
export class TrendRule implements TripRule {
  readonly #failures: RunningBaseline;
  readonly #latencies: RunningBaseline;
  readonly #errorTrend: Cusum;
  readonly #latencyTrend: Cusum;
  readonly #shift: number;

  constructor(private readonly config: NonNullable<CircuitBreakerConfig['predictive']>) {
    this.#failures = new RunningBaseline(config.baselineCalls);
    this.#latencies = new RunningBaseline(config.baselineCalls);
    this.#errorTrend = new Cusum(config.callsPerFalseTrip);
    this.#latencyTrend = new Cusum(config.callsPerFalseTrip);
    this.#shift = Math.log(config.latencyFactor);
  }

  judge({ failed, tookMs }: EndedCall): TripReason | undefined {
    if (this.#errorsDrift(failed)) return 'error_trend';
    return !failed && this.#latencyDrifts(tookMs) ? 'latency_trend' : undefined;
  }

  #errorsDrift(failed: boolean): boolean {
    const usual = Math.max(LEAST_ERROR_RATE, this.#failures.mean);
    const troubled = Math.min(MOST_ERROR_RATE, Math.max(this.config.errorRate, LEAST_RATIO * usual));
    const { learned } = this.#failures;
    if (this.#errorTrend.inControl) this.#failures.add(failed ? 1 : 0);
    if (!learned || troubled <= usual) return false;
    return this.#errorTrend.add(Math.log(failed ? troubled / usual : (1 - troubled) / (1 - usual)));
  }

  #latencyDrifts(tookMs: number): boolean {
    const logarithm = Math.log(Math.max(tookMs, SHORTEST_MS));
    const { learned, mean, deviation } = this.#latencies;
    if (this.#latencyTrend.inControl) this.#latencies.add(logarithm);
    if (!learned) return false;
    const spread = Math.max(LEAST_DEVIATION, deviation);
    return this.#latencyTrend.add((this.#shift / spread ** 2) * (logarithm - mean - this.#shift / 2));
  }
}
