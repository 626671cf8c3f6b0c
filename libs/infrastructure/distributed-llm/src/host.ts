import type { LlmHost } from './host-list.ts';
import type { HostFault, HostOutcome } from './host-outcome.ts';

/** A model as OpenAI's API describes it, with whatever else the host says of it. */
export interface ModelObject {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** `unknown` until the first probe or call has ended. */
export type Reachability = 'unknown' | 'usable' | 'unusable';

/** What can be said about one host right now. */
export interface HostStatus {
  readonly name: string;
  readonly state: Reachability;
  readonly inFlight: number;
  /** Tries so far, without probes. */
  readonly requests: number;
  /** Those that were the host's fault. */
  readonly failures: number;
  readonly lastError?: HostOutcome;
  readonly models: readonly string[];
  /** Of the last probe that was answered. */
  readonly latencyMs?: number;
}

const NOT_ITS_FAULT: ReadonlySet<HostOutcome> = new Set(['ok', 'client_error', 'rate_limited', 'aborted']);

/** One host and what is known of it: where it is, whether it can be reached, what it serves, how it has done. */
export class Host {
  readonly name: string;
  readonly weight: number;
  readonly origin: string;
  /** The path in front of every path, without a slash at its end. */
  readonly basePath: string;
  readonly authorization: string | undefined;
  #state: Reachability = 'unknown';
  #models: readonly ModelObject[] = [];
  #modelIds: ReadonlySet<string> = new Set();
  #latencyMs: number | undefined;
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

  get state(): Reachability {
    return this.#state;
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

  /** It answered. @returns whether that is news. */
  reached(): boolean {
    return this.#become('usable');
  }

  /** It could not be reached. @returns whether that is news. */
  missed(fault: HostFault): boolean {
    this.#lastError = fault;
    return this.#become('unusable');
  }

  /** A probe was answered, with a list of models if the host has one. */
  described(latencyMs: number, models: readonly ModelObject[] | undefined): void {
    this.#latencyMs = latencyMs;
    if (!models) return;
    this.#models = models;
    this.#modelIds = new Set(models.map(({ id }) => id));
  }

  started(): void {
    this.#requests += 1;
    this.#inFlight += 1;
  }

  ended(outcome: HostOutcome): void {
    this.#inFlight -= 1;
    if (NOT_ITS_FAULT.has(outcome)) return;
    this.#failures += 1;
    this.#lastError = outcome;
  }

  getStatus(): HostStatus {
    return {
      name: this.name,
      state: this.#state,
      inFlight: this.#inFlight,
      requests: this.#requests,
      failures: this.#failures,
      ...(this.#lastError && { lastError: this.#lastError }),
      models: [...this.#modelIds],
      ...(this.#latencyMs !== undefined && { latencyMs: this.#latencyMs }),
    };
  }

  #become(state: Reachability): boolean {
    const isNews = this.#state !== state;
    this.#state = state;
    return isNews;
  }
}
