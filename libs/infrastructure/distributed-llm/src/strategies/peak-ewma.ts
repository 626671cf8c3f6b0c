/** What nothing is heard of gets more attractive at this pace: to a third of its time in 10 s. */
const DECAY_MS = 10_000;
/** After so many decays without a sample what was known is stale: a host that was passed over is asked again within 25 s. */
const STALE_AFTER = 2.5;

/** The part of what was known at one moment that still counts at another, from 1 to 0. */
export function keptOf(at: number, now: number): number {
  const decays = Math.max(0, now - at) / DECAY_MS;
  return decays > STALE_AFTER ? 0 : Math.exp(-decays);
}

/**
 * A moving average of the time to the first token that believes a slower sample at once and a faster one by and by
 * (Finagle's Peak EWMA: `v = max(sample, v * e^(-dt/tau) + sample * (1 - e^(-dt/tau)))`). Without samples it decays
 * towards 0, so that a host that was slow is asked again, and is unknown in the end.
 */
export class PeakEwma {
  #average = 0;
  #at = -Infinity;

  /** @param now of any clock that never goes back, in milliseconds. */
  valueAt(now: number): number | undefined {
    const kept = keptOf(this.#at, now);
    return kept === 0 ? undefined : this.#average * kept;
  }

  /** A first token came after `ttftMs`. */
  observe(ttftMs: number, now: number): void {
    const kept = keptOf(this.#at, now);
    this.#set(Math.max(ttftMs, this.#average * kept + ttftMs * (1 - kept)), now);
  }

  /** Nothing came for `waitedMs`, and then nobody waited any more: the first token takes at least that long. */
  observeAtLeast(waitedMs: number, now: number): void {
    if (waitedMs > (this.valueAt(now) ?? 0)) this.#set(waitedMs, now);
  }

  #set(average: number, now: number): void {
    this.#average = average;
    this.#at = now;
  }
}
