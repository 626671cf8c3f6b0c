/** A host that is not asked gets more attractive at this pace: to a third of its time in 10 s. */
const DECAY_MS = 10_000;
/** After so many decays without a sample what was known is stale. */
const STALE_AFTER = 4;
const FAILURE_FACTOR = 4;
const LEAST_AFTER_FAILURE_MS = 1_000;
const MOST_AFTER_FAILURE_MS = 300_000;

/**
 * A moving average of the time to the first token that believes a slower sample at once and a faster one by and by
 * (Finagle's Peak EWMA: `v = max(sample, v * e^(-dt/tau) + sample * (1 - e^(-dt/tau)))`). Without samples it decays
 * towards 0, so that a host that was slow or failing is asked again, and is unknown in the end.
 */
export class PeakEwma {
  #value: number | undefined;
  #at = 0;

  constructor(private readonly decayMs = DECAY_MS) {}

  /** @param now of any clock that never goes back, in milliseconds. */
  valueAt(now: number): number | undefined {
    if (this.#value === undefined || now - this.#at > STALE_AFTER * this.decayMs) return undefined;
    return this.#value * this.#keptAt(now);
  }

  /** A first token came after `ttftMs`. */
  observe(ttftMs: number, now: number): void {
    const kept = this.#keptAt(now);
    const average = (this.valueAt(now) ?? 0) + ttftMs * (1 - kept);
    this.#set(Math.max(ttftMs, average), now);
  }

  /**
   * The call ended in a fault of the host before its first token. Counts as four times what was expected: a host that
   * fails fast must not look fast, and after a few failures any other one looks better, however slow they all are.
   */
  fail(now: number): void {
    const worse = (this.valueAt(now) ?? 0) * FAILURE_FACTOR;
    this.#set(Math.min(MOST_AFTER_FAILURE_MS, Math.max(LEAST_AFTER_FAILURE_MS, worse)), now);
  }

  #keptAt(now: number): number {
    return Math.exp(-Math.max(0, now - this.#at) / this.decayMs);
  }

  #set(value: number, now: number): void {
    this.#value = value;
    this.#at = now;
  }
}
