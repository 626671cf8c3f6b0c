import type { Outcome } from '../../evidence/outcome.ts';

/** What one host has been asked and how it did. */
export interface HostFigures {
  readonly inFlight: number;
  /** Attempts that were sent so far, without probes; those in a queue of ours are in flight only. */
  readonly requests: number;
  /** Attempts that failed by the host's fault. */
  readonly failures: number;
  readonly lastError?: Outcome;
  /** Of the attempts that came to content: the mean time to it, in milliseconds. */
  readonly averageFirstContentMs?: number;
}

/** Counts the attempts at one host. */
export class HostStats {
  #inFlight = 0;
  #requests = 0;
  #failures = 0;
  #lastError: Outcome | undefined;
  #begun = 0;
  #firstContentMs = 0;

  get inFlight(): number {
    return this.#inFlight;
  }

  /** An attempt begins. It may still be in a queue of ours. */
  started(): void {
    this.#inFlight += 1;
  }

  sent(): void {
    this.#requests += 1;
  }

  begun(afterMs: number): void {
    this.#begun += 1;
    this.#firstContentMs += afterMs;
  }

  ended(): void {
    this.#inFlight -= 1;
  }

  failed(outcome: Outcome): void {
    this.#failures += 1;
    this.#lastError = outcome;
  }

  figures(): HostFigures {
    return {
      inFlight: this.#inFlight,
      requests: this.#requests,
      failures: this.#failures,
      ...(this.#lastError && { lastError: this.#lastError }),
      ...(this.#begun > 0 && { averageFirstContentMs: this.#firstContentMs / this.#begun }),
    };
  }
}
