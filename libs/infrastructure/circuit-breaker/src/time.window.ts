import { EventEmitter } from 'node:events';
import Opossum from 'opossum';
import type { OutcomeWindow } from './failure-rate.rule.ts';

/** What calls came to in a rolling window. */
export interface WindowCounts {
  readonly success: number;
  /** Faults of the host, without slow answers. */
  readonly failure: number;
  /** Calls that succeeded and took `slowCallMs` or longer. */
  readonly slow: number;
  /** Calls that were refused. */
  readonly rejected: number;
}

const BUCKETS = 10;

/** Where opossum keeps each of them. Its `timeouts` are free: the breaker has no time limit of its own. */
const FIELD = { success: 'successes', failure: 'failures', slow: 'timeouts', rejected: 'rejects' } as const;

/**
 * Counts of the last `windowMs`, in opossum's rolling buckets. They are turned when somebody counts or looks, by the
 * monotonic clock, and not by a timer.
 */
export class TimeWindow implements OutcomeWindow {
  readonly #turn = new EventEmitter();
  readonly #status: Opossum.Status;
  readonly #bucketMs: number;
  #current: Opossum.Bucket;
  #turnAt: number;

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
    this.#status = Opossum.newStatus({
      rollingCountBuckets: BUCKETS,
      rollingCountTimeout: windowMs,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.#turn,
    });
    this.#current = this.#newest();
    this.#turnAt = performance.now() + this.#bucketMs;
  }

  count(outcome: keyof WindowCounts): void {
    this.#advance();
    this.#current[FIELD[outcome]] += 1;
  }

  add(failed: boolean): { calls: number; failures: number } {
    this.count(failed ? 'failure' : 'success');
    const { success, failure } = this.totals();
    return { calls: success + failure, failures: failure };
  }

  totals(): WindowCounts {
    this.#advance();
    const totals = { success: 0, failure: 0, slow: 0, rejected: 0 };
    for (const bucket of this.#status.window) {
      totals.success += bucket.successes;
      totals.failure += bucket.failures;
      totals.slow += bucket.timeouts;
      totals.rejected += bucket.rejects;
    }
    return totals;
  }

  #advance(): void {
    const now = performance.now();
    if (now < this.#turnAt) return;
    const passed = Math.floor((now - this.#turnAt) / this.#bucketMs) + 1;
    for (let turn = Math.min(passed, BUCKETS); turn > 0; turn -= 1) this.#turn.emit('rotate');
    this.#turnAt += passed * this.#bucketMs;
    this.#current = this.#newest();
  }

  #newest(): Opossum.Bucket {
    const [newest] = this.#status.window;
    if (!newest) throw new Error('A rolling window has at least one bucket.');
    return newest;
  }
}
