import { type CallContext, newCall, parseSettings, type Policy, type Work } from '@morgan/foundation';
import type { RetryBudgetCounter } from './retry-budget-metrics.ts';
import { retryBudgetConfig } from './retry.config.ts';
import type { ExtraAttempt } from './retry-outcome.ts';

/** How many extra attempts a client may make. */
export interface RetryBudgetOptions {
  /** Extra attempts per request. Default 0.2. */
  readonly ratio?: number | undefined;
  /**
   * Extra attempts per second that need no requests, so that a quiet client may retry. Times the window it is also how
   * many may come at once on top of what requests pay for; less than one, such as 0, turns all extra attempts off. Default 10.
   */
  readonly minPerSecond?: number | undefined;
  /** Default 10,000. */
  readonly windowMs?: number | undefined;
  readonly metrics?: RetryBudgetCounter | undefined;
}

/** What a budget has granted and refused since it was made. */
export interface RetryBudgetStatus {
  /** Extra attempts that would be granted now. */
  readonly available: number;
  readonly granted: Readonly<Record<ExtraAttempt, number>>;
  readonly refused: Readonly<Record<ExtraAttempt, number>>;
}

/** A slice of the window. Debt is extra attempts less what its requests pay for. */
interface Slice {
  index: number;
  debt: number;
  /** The largest debt of any stretch that ends with the slice and begins within it; at least 0. */
  suffixDebt: number;
}

const SLICES = 20;
/** Above the rounding of a sum of fractions, far below one attempt. */
const ROUNDING = 1e-6;

/**
 * One per client, shared by everything that makes extra attempts: in any stretch of time up to the window, wherever it
 * begins, there are at most `ratio` x requests + `minPerSecond` x window of them. As a policy it stands outside the
 * retry and counts each call as one request. Constant time and memory.
 */
export class RetryBudget implements Policy {
  readonly #ratio: number;
  readonly #reserve: number;
  readonly #sliceMs: number;
  readonly #metrics: RetryBudgetCounter | undefined;
  /** One slice more than the window has, as its oldest one is only partly inside. */
  readonly #ring: Slice[];
  readonly #granted = { retry: 0, fallback: 0, hedge: 0 };
  readonly #refused = { retry: 0, fallback: 0, hedge: 0 };

  /** @throws ConfigError, which names every setting that is wrong. */
  constructor({ metrics, ...settings }: RetryBudgetOptions = {}) {
    const { ratio, minPerSecond, windowMs } = parseSettings(retryBudgetConfig, settings);
    this.#ratio = ratio;
    this.#reserve = (minPerSecond * windowMs) / 1000;
    this.#sliceMs = windowMs / SLICES;
    this.#metrics = metrics;
    this.#ring = Array.from({ length: SLICES + 1 }, () => ({ index: -1, debt: 0, suffixDebt: 0 }));
  }

  async execute<Result>(work: Work<Result>, context: CallContext = newCall()): Promise<Result> {
    this.countRequest();
    return work(context);
  }

  /** For a composition that does not use {@link execute}: once per call, however many attempts it takes. */
  countRequest(): void {
    const slice = this.#slice(this.#now());
    slice.debt -= this.#ratio;
    slice.suffixDebt = Math.max(0, slice.suffixDebt - this.#ratio);
  }

  /** Whether an extra attempt would be granted now. Takes nothing. */
  allows(): boolean {
    return this.#worstDebt() + 1 <= this.#reserve + ROUNDING;
  }

  /** Takes one extra attempt, which must be made at once. False: there is none to take. */
  take(kind: ExtraAttempt): boolean {
    const granted = this.allows();
    if (granted) {
      const slice = this.#slice(this.#now());
      slice.debt += 1;
      slice.suffixDebt += 1;
    }
    this.#count(kind, granted);
    return granted;
  }

  /** Says that an extra attempt was not even tried for, because {@link allows} said no. */
  refuse(kind: ExtraAttempt): void {
    this.#count(kind, false);
  }

  getStatus(): RetryBudgetStatus {
    return {
      available: Math.max(0, Math.floor(this.#reserve - this.#worstDebt() + ROUNDING)),
      granted: { ...this.#granted },
      refused: { ...this.#refused },
    };
  }

  /** The largest debt of any stretch that ends now and is no longer than the window, rounded up to whole slices. */
  #worstDebt(): number {
    const now = this.#now();
    let after = 0;
    let worst = 0;
    for (let index = now; index >= Math.max(0, now - SLICES); index -= 1) {
      const slice = this.#ring[index % this.#ring.length];
      if (slice?.index !== index) continue;
      worst = Math.max(worst, slice.suffixDebt + after);
      after += slice.debt;
    }
    return worst;
  }

  #now(): number {
    return Math.floor(performance.now() / this.#sliceMs);
  }

  #slice(index: number): Slice {
    const slice = this.#ring[index % this.#ring.length] as Slice;
    if (slice.index !== index) Object.assign(slice, { index, debt: 0, suffixDebt: 0 });
    return slice;
  }

  #count(kind: ExtraAttempt, granted: boolean): void {
    (granted ? this.#granted : this.#refused)[kind] += 1;
    this.#metrics?.extraAttempt(kind, granted);
  }
}
