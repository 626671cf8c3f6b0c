import { newCall, parseSettings, type Policy, QuantileWindow } from '@morgan/foundation';
import { HedgeRace } from './hedge-race.ts';
import { hedgeConfig } from './retry.config.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { RetryCounter } from './retry-metrics.ts';
import type { HedgeOutcome } from './retry-outcome.ts';
import type { RepeatableContext } from './retry.policy.ts';

/** When a second attempt starts, and out of which budget. */
export interface HedgeOptions {
  /** The budget of the client, shared with its retries and fallbacks. It must stand around this policy. */
  readonly budget: RetryBudget;
  /** When the second attempt starts. None: after the observed {@link quantile} of what attempts take. */
  readonly delayMs?: number | undefined;
  /** Default 0.95: one call in twenty is hedged. */
  readonly quantile?: number | undefined;
  readonly metrics?: RetryCounter | undefined;
}

/** What a policy has come to since it was made. */
export interface HedgeStatus {
  /** After which time the next call would be hedged; none while too little has been observed. */
  readonly delayMs: number | undefined;
  readonly outcomes: Readonly<Record<HedgeOutcome, number>>;
}

const OBSERVED = 256;
/** Below this many observations a 95th percentile is the longest one. */
const ENOUGH = 20;

/**
 * Starts a second attempt when the first takes long, takes the first response and aborts the other attempt. For calls
 * that are safe to repeat, within the budget; a call with `idempotent: false` is passed on as it is.
 */
export class HedgePolicy implements Policy {
  readonly #budget: RetryBudget;
  readonly #delayMs: number | undefined;
  readonly #quantile: number;
  readonly #metrics: RetryCounter | undefined;
  readonly #observed = new QuantileWindow(OBSERVED);
  readonly #outcomes = { won: 0, lost: 0, failed: 0 };

  /** @throws ConfigError, which names every setting that is wrong. */
  constructor({ budget, metrics, ...settings }: HedgeOptions) {
    const { delayMs, quantile } = parseSettings(hedgeConfig, settings);
    this.#budget = budget;
    this.#delayMs = delayMs;
    this.#quantile = quantile;
    this.#metrics = metrics;
  }

  /** @throws the first attempt's error, when the second one failed too or there was none. */
  async execute<Result, Context extends RepeatableContext>(
    work: (context: Context) => Promise<Result>,
    // Where none is given there is none that could have more fields.
    context: Context = newCall() as Context,
  ): Promise<Result> {
    const start = performance.now();
    const result = await this.#run(work, context);
    // Where the hedge won, the first attempt would have taken longer than this: above the quantile, as it was.
    this.#observed.add(performance.now() - start);
    return result;
  }

  getStatus(): HedgeStatus {
    return { delayMs: this.#nextDelayMs(), outcomes: { ...this.#outcomes } };
  }

  #run<Result, Context extends RepeatableContext>(
    work: (context: Context) => Promise<Result>,
    context: Context,
  ): Promise<Result> {
    const delayMs = this.#nextDelayMs();
    const { idempotent = true, deadline } = context;
    if (delayMs === undefined || !idempotent || deadline?.allows(delayMs) === false) return work(context);
    return new HedgeRace({
      work,
      context,
      delayMs,
      mayHedge: () => this.#budget.take('hedge'),
      onHedgeEnd: (outcome) => this.#ended(outcome),
    }).run();
  }

  #nextDelayMs(): number | undefined {
    if (this.#delayMs !== undefined) return this.#delayMs;
    return this.#observed.size < ENOUGH ? undefined : this.#observed.quantile(this.#quantile);
  }

  #ended(outcome: HedgeOutcome): void {
    this.#outcomes[outcome] += 1;
    this.#metrics?.hedgeEnded(outcome);
  }
}
