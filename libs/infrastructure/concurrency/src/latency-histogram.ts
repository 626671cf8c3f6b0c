/** Each bucket ends this much later than it begins: the error of a quantile. */
const RATIO = 1.1;
const FIRST_MS = 0.1;
/** The last bucket has all that takes longer than some two hours. */
const BUCKETS = 192;
const LOG_RATIO = Math.log(RATIO);
/** All that was counted before loses half of its weight after this many samples. */
const HALF_LIFE_SAMPLES = 1_000;

/**
 * Quantiles of the latest latencies in 1.5 kB, whatever their number: fixed buckets on a logarithmic scale from 0.1 ms
 * on, which fade as new samples come. A quantile is never below the true one and at most 10 % above it.
 */
export class LatencyHistogram {
  readonly #weights = new Float64Array(BUCKETS);
  #total = 0;
  #untilFade = HALF_LIFE_SAMPLES;

  record(ms: number): void {
    const bucket = Math.ceil(Math.log(ms / FIRST_MS) / LOG_RATIO);
    const index = ms <= FIRST_MS ? 0 : Math.min(BUCKETS - 1, bucket);
    this.#weights[index] = (this.#weights[index] ?? 0) + 1;
    this.#total += 1;
    this.#untilFade -= 1;
    if (this.#untilFade === 0) this.#fade();
  }

  /** The latency in milliseconds that the given share of the samples did not exceed; undefined without samples. */
  quantile(share: number): number | undefined {
    if (this.#total === 0) return undefined;
    let rest = share * this.#total;
    let last = 0;
    for (let index = 0; index < BUCKETS && rest > 0; index += 1) {
      const weight = this.#weights[index] ?? 0;
      rest -= weight;
      if (weight > 0) last = index;
    }
    return FIRST_MS * RATIO ** last;
  }

  #fade(): void {
    for (let index = 0; index < BUCKETS; index += 1) this.#weights[index] = (this.#weights[index] ?? 0) / 2;
    this.#total /= 2;
    this.#untilFade = HALF_LIFE_SAMPLES;
  }
}
