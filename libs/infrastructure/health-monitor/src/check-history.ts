import { QuantileWindow } from '@morgan/foundation';
import type { CheckRecord, CheckVerdict } from './health-state.ts';

const CAPACITY = 100;

/** How long the last 100 checks that did not fail took, in milliseconds. */
export interface ResponseTimes {
  readonly lastMs: number;
  readonly meanMs: number;
  readonly p95Ms: number;
}

/** The last 100 checks of a target in a ring, and how many of each verdict there were since the beginning. */
export class CheckHistory {
  readonly #ring: CheckRecord[] = [];
  readonly #totals: Record<CheckVerdict, number> = { ok: 0, degraded: 0, failed: 0 };
  readonly #times = new QuantileWindow(CAPACITY);
  #lastMs: number | undefined;
  #next = 0;
  #consecutiveFailures = 0;
  #consecutiveSuccesses = 0;

  add(record: CheckRecord): void {
    this.#ring[this.#next] = record;
    this.#next = (this.#next + 1) % CAPACITY;
    this.#totals[record.verdict] += 1;
    const failed = record.verdict === 'failed';
    if (!failed) this.#times.add((this.#lastMs = record.durationMs));
    this.#consecutiveFailures = failed ? this.#consecutiveFailures + 1 : 0;
    this.#consecutiveSuccesses = failed ? 0 : this.#consecutiveSuccesses + 1;
  }

  /** Failed checks since the last one that did not fail. */
  get consecutiveFailures(): number {
    return this.#consecutiveFailures;
  }

  /** Checks since the last one that failed. */
  get consecutiveSuccesses(): number {
    return this.#consecutiveSuccesses;
  }

  /** Since the beginning. */
  get totals(): Readonly<Record<CheckVerdict, number>> {
    return { ...this.#totals };
  }

  get last(): CheckRecord | undefined {
    return this.#ring.at(this.#next - 1);
  }

  /** The oldest first. */
  list(): CheckRecord[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }

  /** Nothing while no check was answered. */
  responseTimes(): ResponseTimes | undefined {
    if (this.#lastMs === undefined) return undefined;
    return { lastMs: this.#lastMs, meanMs: this.#times.mean, p95Ms: this.#times.quantile(0.95) as number };
  }
}
