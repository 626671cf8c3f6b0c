import { QuantileWindow } from '@morgan/foundation';
import type { CallEnd } from './http-client-metrics.ts';

/** How many of the last calls the error rate and the latencies are taken of. */
const WINDOW = 256;

/** Latencies of the last calls that were answered, in milliseconds. */
interface Latencies {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** What became of the calls of one client. Calls that their caller gave up count as neither good nor bad. */
export interface CallFigures {
  /** Calls that have ended, since the beginning. */
  readonly requests: number;
  /** Calls that failed. */
  readonly errors: number;
  /** By category, since the beginning; only categories that occurred. */
  readonly errorsByCategory: Readonly<Partial<Record<CallEnd, number>>>;
  /** The share of failed calls among the last 256; 0 before the first. */
  readonly errorRate: number;
  /** Of the last 256 that were answered well; none before the first. */
  readonly latency: Latencies | undefined;
  /** Calls that are going on now, streamed responses until their end. */
  readonly inFlight: number;
}

/** Counts the calls of one client, at a cost of well below a microsecond each. */
export class CallStatistics {
  readonly #latencies = new QuantileWindow(WINDOW);
  readonly #failed = new Uint8Array(WINDOW);
  readonly #byCategory = new Map<CallEnd, number>();
  #requests = 0;
  #errors = 0;
  #judged = 0;
  #failedInWindow = 0;

  /** @param latencyMs only for calls that ended `ok`. */
  ended(end: CallEnd, latencyMs: number): void {
    this.#requests += 1;
    if (end === 'ok') this.#latencies.add(latencyMs);
    else this.#byCategory.set(end, (this.#byCategory.get(end) ?? 0) + 1);
    if (end === 'cancelled') return;
    const failed = end === 'ok' ? 0 : 1;
    this.#errors += failed;
    const place = this.#judged % WINDOW;
    this.#failedInWindow += failed - (this.#failed[place] as number);
    this.#failed[place] = failed;
    this.#judged += 1;
  }

  figures(inFlight: number): CallFigures {
    return {
      requests: this.#requests,
      errors: this.#errors,
      errorsByCategory: Object.fromEntries(this.#byCategory),
      errorRate: this.#failedInWindow / Math.max(1, Math.min(WINDOW, this.#judged)),
      latency: this.#latency(),
      inFlight,
    };
  }

  #latency(): Latencies | undefined {
    const at = (quantile: number) => this.#latencies.quantile(quantile) as number;
    if (this.#latencies.size === 0) return undefined;
    return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
  }
}
