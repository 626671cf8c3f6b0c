import {
  AppError,
  type CallContext,
  contextWith,
  newCall,
  parseSettings,
  type Policy,
  QuantileWindow,
  type Work,
  requireName,
} from '@morgan/foundation';
import type { ConcurrencyMetrics } from './concurrency-metrics.ts';
import {
  type AdaptiveTimeoutConfig,
  adaptiveTimeoutConfig,
  type AdaptiveTimeoutSettings,
} from './concurrency.config.ts';

/** What an {@link AdaptiveTimeout} is made of. */
export interface AdaptiveTimeoutOptions extends AdaptiveTimeoutSettings {
  /** A configured name, for status and metrics. */
  readonly name: string;
  readonly metrics?: ConcurrencyMetrics | undefined;
}

/** The state of an {@link AdaptiveTimeout}. */
export interface AdaptiveTimeoutStatus {
  readonly name: string;
  /** How long the next attempt may take, in milliseconds. */
  readonly boundMs: number;
  /** The quantile that the bound is made from; undefined before the first latency. */
  readonly quantileMs: number | undefined;
  readonly samples: number;
  readonly timeouts: number;
}

/** Latencies that the quantile is taken of: the last so many. */
const WINDOW = 1_024;
/** Samples after which the bound is computed again. */
const REFRESH_SAMPLES = 32;

/**
 * Bounds an attempt by what its host usually takes: `factor` times a quantile of its latencies, from `floorMs` to
 * `ceilingMs`. An attempt that is cut counts as one of that length, so a host that became slower raises its bound.
 * @throws AppError `attempt_timeout`, which is the reason of the work's signal too; it does not wait for the work.
 */
export class AdaptiveTimeout implements Policy {
  readonly #latencies = new QuantileWindow(WINDOW);
  #boundMs: number;
  #samples = 0;
  #timeouts = 0;

  readonly #config: AdaptiveTimeoutConfig;

  readonly #name: string;
  readonly #metrics: ConcurrencyMetrics | undefined;

  /** @throws ConfigError, which names every setting that is wrong or unknown; TypeError without a name. */
  constructor({ name, metrics, ...settings }: AdaptiveTimeoutOptions) {
    this.#name = requireName('AdaptiveTimeout', name);
    this.#metrics = metrics;
    this.#config = parseSettings(adaptiveTimeoutConfig, settings);
    this.#boundMs = this.#config.ceilingMs;
  }

  /** How long the next attempt may take, in milliseconds. */
  get boundMs(): number {
    return this.#boundMs;
  }

  async execute<Result>(work: Work<Result>, context: CallContext = newCall()): Promise<Result> {
    const { signal } = context;
    signal.throwIfAborted();
    const boundMs = this.#boundMs;
    const attempt = new AbortController();
    const { promise: cut, reject } = Promise.withResolvers<never>();
    // Work that throws at once, after its caller has gone, leaves nobody who would look at it.
    cut.catch(() => undefined);
    const end = (reason: Error): void => {
      // First, so that the reason wins over whatever the work makes of its signal.
      reject(reason);
      attempt.abort(reason);
    };
    const onAbort = (): void => end(signal.reason as Error);
    const timer = setTimeout(() => end(this.#timedOut(boundMs)), boundMs).unref();
    signal.addEventListener('abort', onAbort, { once: true });
    const startedAt = performance.now();
    try {
      const result = await Promise.race([work(contextWith(context, { signal: attempt.signal })), cut]);
      this.record(performance.now() - startedAt);
      return result;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Counts a latency that was measured elsewhere, such as the time to the first byte.
   * @throws RangeError for what is no number of milliseconds, 0 or more: no bound could be made of it.
   */
  record(latencyMs: number): void {
    if (!(latencyMs >= 0)) throw new RangeError('a latency must be a number of milliseconds, 0 or more');
    this.#latencies.add(latencyMs);
    this.#samples += 1;
    const { minSamples } = this.#config;
    if (this.#samples === minSamples || this.#samples % REFRESH_SAMPLES === 0) this.#refresh();
  }

  getStatus(): AdaptiveTimeoutStatus {
    return {
      name: this.#name,
      boundMs: this.#boundMs,
      quantileMs: this.#latencies.quantile(this.#config.quantile),
      samples: this.#samples,
      timeouts: this.#timeouts,
    };
  }

  #timedOut(boundMs: number): AppError {
    this.#timeouts += 1;
    this.#metrics?.timedOut(this.#name);
    this.record(boundMs);
    return new AppError('attempt_timeout', `The attempt took longer than ${boundMs} ms.`);
  }

  #refresh(): void {
    const { quantile, factor, floorMs, ceilingMs, minSamples } = this.#config;
    const usualMs = this.#latencies.quantile(quantile);
    if (usualMs === undefined || this.#samples < minSamples) return;
    this.#boundMs = Math.round(Math.min(ceilingMs, Math.max(floorMs, factor * usualMs)));
  }
}
