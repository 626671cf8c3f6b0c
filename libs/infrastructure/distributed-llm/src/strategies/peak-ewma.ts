/** A host that is not asked gets more attractive at this pace: to a third of its time in 10 s. */
const DECAY_MS = 10_000;
/** After so many decays without a sample what was known is stale: a host that was passed over is asked again within 25 s. */
const STALE_AFTER = 2.5;
const FAILURE_FACTOR = 4;
const LEAST_AFTER_FAILURE_MS = 1_000;
const MOST_AFTER_FAILURE_MS = 300_000;

/**
 * A moving average of the time to the first token that believes a slower sample at once and a faster one by and by
 * (Finagle's Peak EWMA: `v = max(sample, v * e^(-dt/tau) + sample * (1 - e^(-dt/tau)))`). Without samples it decays
 * towards 0, so that a host that was slow or failing is asked again, and is unknown in the end.
 */
export class PeakEwma {
  #average = 0;
  /** What the failures since the last response made of it. */
  #penalty = 0;
  #at = -Infinity;

  constructor(private readonly decayMs = DECAY_MS) {}

  /** @param now of any clock that never goes back, in milliseconds. */
  valueAt(now: number): number | undefined {
    const kept = this.#keptAt(now);
    return kept === 0 ? undefined : Math.max(this.#average, this.#penalty) * kept;
  }

  /** A first token came after `ttftMs`. Earlier failures are forgiven. */
  observe(ttftMs: number, now: number): void {
    const kept = this.#keptAt(now);
    this.#set(Math.max(ttftMs, this.#average * kept + ttftMs * (1 - kept)), 0, now);
  }

  /** Nothing came for `waitedMs`, and then nobody waited any more: the first token takes at least that long. */
  observeAtLeast(waitedMs: number, now: number): void {
    if (waitedMs > (this.valueAt(now) ?? 0)) this.#set(waitedMs, this.#penalty * this.#keptAt(now), now);
  }

  /**
   * A fault of the host before its first token. Counts as four times what was expected: a host that fails fast must not
   * look fast, and after a few failures any other one looks better, however slow they all are.
   */
  fail(now: number): void {
    const worse = (this.valueAt(now) ?? 0) * FAILURE_FACTOR;
    const penalty = Math.min(MOST_AFTER_FAILURE_MS, Math.max(LEAST_AFTER_FAILURE_MS, worse));
    this.#set(this.#average * this.#keptAt(now), penalty, now);
  }

  #keptAt(now: number): number {
    const decays = Math.max(0, now - this.#at) / this.decayMs;
    return decays > STALE_AFTER ? 0 : Math.exp(-decays);
  }

  #set(average: number, penalty: number, now: number): void {
    this.#average = average;
    this.#penalty = penalty;
    this.#at = now;
  }
}
