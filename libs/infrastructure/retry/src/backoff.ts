/**
 * How chance enters a delay. `full`: anywhere between 0 and the exponential ceiling. `decorrelated`: anywhere between
 * the first delay and three times the last one. `none`: the ceiling itself, for tests and single callers.
 * After "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export type Jitter = 'full' | 'decorrelated' | 'none';

export interface BackoffOptions {
  /** The first ceiling. */
  readonly baseDelayMs: number;
  /** No delay is longer. */
  readonly maxDelayMs: number;
  /** How many times higher each ceiling is than the one before. */
  readonly base: number;
  readonly jitter: Jitter;
}

const DECORRELATED_GROWTH = 3;

/** The delays between the attempts of one call. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #ceilingMs: number;
  #lastMs: number;

  /** @param random gives numbers from 0 to below 1. */
  constructor(options: BackoffOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
    this.#ceilingMs = Math.min(options.baseDelayMs, options.maxDelayMs);
    this.#lastMs = options.baseDelayMs;
  }

  /** How long to wait before the next attempt, in milliseconds. */
  nextMs(): number {
    const { baseDelayMs, maxDelayMs, base, jitter } = this.#options;
    if (jitter === 'decorrelated') {
      const span = this.#lastMs * DECORRELATED_GROWTH - baseDelayMs;
      this.#lastMs = Math.min(maxDelayMs, baseDelayMs + this.#random() * span);
      return this.#lastMs;
    }
    const ceilingMs = this.#ceilingMs;
    this.#ceilingMs = Math.min(maxDelayMs, ceilingMs * base);
    return jitter === 'full' ? this.#random() * ceilingMs : ceilingMs;
  }
}
