import type { Deadline } from '@morgan/foundation';
import type { CircuitBreakerConfig } from './circuit-breaker.config.ts';

/** A call that tests the host, on the clock of `performance.now()`. From `overdueAt` on nobody waits for its result. */
export interface Trial {
  readonly since: number;
  readonly overdueAt: number;
}

/** The trial calls that are under way in one stay in HALF_OPEN. */
export class TrialCalls {
  readonly #calls = new Set<Trial>();

  constructor(
    private readonly config: Pick<CircuitBreakerConfig, 'halfOpenTrials' | 'trialSlotMs' | 'trialTimeoutMs'>,
  ) {}

  get size(): number {
    return this.#calls.size;
  }

  /** Whether one more may go. A trial that takes its time keeps the next one out for a while only: a quick call may know sooner. */
  get hasRoom(): boolean {
    const { halfOpenTrials, trialSlotMs = Infinity } = this.config;
    if (this.#calls.size < halfOpenTrials) return true;
    const holdMs = trialSlotMs * 2 ** (this.#calls.size - halfOpenTrials);
    const now = performance.now();
    let holding = 0;
    for (const { since } of this.#calls) if (now - since < holdMs) holding += 1;
    return holding < halfOpenTrials;
  }

  /** Whether one of them has not ended in time. */
  get hasOverdue(): boolean {
    const now = performance.now();
    for (const { overdueAt } of this.#calls) if (now >= overdueAt) return true;
    return false;
  }

  begin(deadline: Deadline | undefined): Trial {
    const since = performance.now();
    const trial = { since, overdueAt: deadline?.at ?? since + this.config.trialTimeoutMs };
    this.#calls.add(trial);
    return trial;
  }

  end(trial: Trial): void {
    this.#calls.delete(trial);
  }
}
