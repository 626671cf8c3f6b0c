import type { LlmHost } from './host-list.ts';
import type { HostOutcome } from './host-outcome.ts';

/** A model as OpenAI's API describes it, with whatever else the host says of it. */
export interface ModelObject {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** What one host has been asked and how it did. */
export interface HostFigures {
  readonly name: string;
  readonly inFlight: number;
  /** Tries so far, without probes. */
  readonly requests: number;
  /** Those that were the host's fault. */
  readonly failures: number;
  readonly lastError?: HostOutcome;
  readonly models: readonly string[];
}

/** One host: where it is, what it serves, how its tries have ended. Whether it is well, others say. */
export class Host {
  readonly name: string;
  readonly weight: number;
  readonly origin: string;
  /** The path in front of every path, without a slash at its end. */
  readonly basePath: string;
  readonly authorization: string | undefined;
  #models: readonly ModelObject[] = [];
  #modelIds: ReadonlySet<string> = new Set();
  #lastError: HostOutcome | undefined;
  #inFlight = 0;
  #requests = 0;
  #failures = 0;

  constructor({ name, url, weight, apiKey }: LlmHost) {
    const { origin, pathname } = new URL(url);
    this.name = name;
    this.weight = weight;
    this.origin = origin;
    this.basePath = pathname.replace(/\/+$/, '');
    this.authorization = apiKey === undefined ? undefined : `Bearer ${apiKey}`;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** As received with the last list that the host gave; kept while it is down. */
  get models(): readonly ModelObject[] {
    return this.#models;
  }

  lists(model: string): boolean {
    return this.#modelIds.has(model);
  }

  /** A probe was answered with a list of models. */
  serves(models: readonly ModelObject[]): void {
    this.#models = models;
    this.#modelIds = new Set(models.map(({ id }) => id));
  }

  started(): void {
    this.#requests += 1;
    this.#inFlight += 1;
  }

  /** @param isFault whether it was the host's. */
  ended(outcome: HostOutcome, isFault: boolean): void {
    this.#inFlight -= 1;
    if (!isFault) return;
    this.#failures += 1;
    this.#lastError = outcome;
  }

  getFigures(): HostFigures {
    return {
      name: this.name,
      inFlight: this.#inFlight,
      requests: this.#requests,
      failures: this.#failures,
      ...(this.#lastError && { lastError: this.#lastError }),
      models: [...this.#modelIds],
    };
  }
}
