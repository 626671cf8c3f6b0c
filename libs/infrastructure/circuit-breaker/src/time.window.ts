import type { OutcomeWindow } from './failure-rate.rule.ts';

/** What calls came to in a rolling window. */
export interface WindowCounts {
  readonly success: number;
  /** Faults of the host, without slow responses. */
  readonly failure: number;
  /** Calls that succeeded and took `slowCallMs` or longer. */
  readonly slow: number;
  /** Calls that were refused. */
  readonly rejected: number;
}

type Bucket = { -readonly [Outcome in keyof WindowCounts]: number };

const BUCKETS = 10;
const empty = (): Bucket => ({ success: 0, failure: 0, slow: 0, rejected: 0 });

/** Counts of the last `windowMs`, in ten buckets that turn when somebody counts or looks: it has no timer. */
export class TimeWindow implements OutcomeWindow {
  readonly #buckets = Array.from({ length: BUCKETS }, empty);
  readonly #bucketMs: number;
  #current = this.#buckets[0] as Bucket;
  #turn = 0;
  #turnAt: number;

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
    this.#turnAt = performance.now() + this.#bucketMs;
  }

  count(outcome: keyof WindowCounts): void {
    this.#advance();
    this.#current[outcome] += 1;
  }

  add(failed: boolean): { calls: number; failures: number } {
    this.count(failed ? 'failure' : 'success');
    const { success, failure } = this.totals();
    return { calls: success + failure, failures: failure };
  }

  totals(): WindowCounts {
    this.#advance();
    const totals = empty();
    for (const { success, failure, slow, rejected } of this.#buckets) {
      totals.success += success;
      totals.failure += failure;
      totals.slow += slow;
      totals.rejected += rejected;
    }
    return totals;
  }

  #advance(): void {
    const now = performance.now();
    if (now < this.#turnAt) return;
    const passed = Math.floor((now - this.#turnAt) / this.#bucketMs) + 1;
    for (let turn = Math.min(passed, BUCKETS); turn > 0; turn -= 1) {
      this.#turn = (this.#turn + 1) % BUCKETS;
      this.#current = this.#buckets[this.#turn] = empty();
    }
    this.#turnAt += passed * this.#bucketMs;
  }
}
