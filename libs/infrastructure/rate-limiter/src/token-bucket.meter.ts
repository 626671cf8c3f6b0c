import type { Limit } from './limit.ts';
import { type Meter, ROUNDING_MS } from './meter.ts';

/**
 * A bucket kept as the moment at which it will be full again: it needs no refilling, and an idle one is one number in
 * the past. In any time T it lets through at most `burst + rate * T`, plus what
 * is given back in that time.
 */
export class TokenBucketMeter implements Meter {
  readonly #burst: number;
  readonly #msPerUnit: number;
  #fullAt = -Infinity;
  #lastFull = -Infinity;

  constructor({ limit, windowMs, burst }: Limit) {
    this.#burst = burst;
    this.#msPerUnit = windowMs / limit;
  }

  waitMs(now: number, units: number): number {
    const wait = Math.max(this.#fullAt, now) + (units - this.#burst) * this.#msPerUnit - now;
    return wait < ROUNDING_MS ? 0 : wait;
  }

  take(now: number, units: number): void {
    if (this.#fullAt <= now) this.#fullAt = this.#lastFull = now;
    this.#fullAt += units * this.#msPerUnit;
  }

  correct(now: number, takenAt: number, delta: number): void {
    if (delta > 0) this.take(now, delta);
    // A bucket that was full since then has overflowed: there is nothing left to give back.
    else if (takenAt >= this.#lastFull) this.#fullAt += delta * this.#msPerUnit;
  }

  drain(now: number): void {
    this.#fullAt = Math.max(this.#fullAt, now + this.#burst * this.#msPerUnit);
  }

  used(now: number): number {
    return Math.max(0, this.#fullAt - now) / this.#msPerUnit;
  }
}
