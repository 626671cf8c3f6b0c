import type { Capabilities } from '../hosts/host-list.ts';
import type { Host } from '../hosts/host.ts';
import type { Pace } from '../hosts/history/pace.ts';
import type { Candidate } from '../strategies/strategy.ts';
import type { RequestFacts } from './request-facts.ts';

/** What a target is made of. */
interface TargetOptions {
  readonly host: Host;
  /** The model to ask for there; left out: the one that the caller named. */
  readonly model?: string | undefined;
  /** The model that callers name, where that is always the same one. */
  readonly asked?: string | undefined;
  readonly weight?: number | undefined;
  readonly capabilities?: Capabilities | undefined;
}

/** A capability that a request needs and a target has not. */
export type Lack = 'endpoint' | 'tools' | 'vision' | 'context_length';

/** Bytes per token at which nobody doubts that a text is too long. */
const MOST_BYTES_PER_TOKEN = 8;

/** A host to be asked for a certain model: what a route leads to, and what strategies choose from. */
export class Target implements Candidate {
  readonly host: Host;
  readonly model: string | undefined;
  readonly capabilities: Capabilities;
  readonly pace: Pace;
  readonly #weight: number;

  constructor({ host, model, asked, weight = 1, capabilities }: TargetOptions) {
    this.host = host;
    this.model = model;
    this.pace = host.paceOf(model ?? asked);
    this.#weight = weight;
    this.capabilities = { ...host.options.capabilities, ...capabilities };
  }

  get name(): string {
    return this.model === undefined ? this.host.name : `${this.host.name}/${this.model}`;
  }

  /** All hosts are down where one that is down is asked, and then none of them is to be spared. */
  get weight(): number {
    return this.#weight * this.host.weight * (this.host.health.share || 1);
  }

  get inFlight(): number {
    return this.host.stats.inFlight;
  }

  get tokensInFlight(): number {
    return this.host.tokensInFlight;
  }

  /** @param model that the caller names. */
  ttftMsFor({ model }: { readonly model?: string | undefined }): number | undefined {
    return this.pace.load.ttftMsAt(performance.now(), this.modelFor(model));
  }

  /** In tokens, prompt and answer together: as declared, else as the host's list says. */
  contextLengthFor(asked: string | undefined): number | undefined {
    const model = this.modelFor(asked);
    if (this.capabilities.contextLength !== undefined) return this.capabilities.contextLength;
    return model === undefined ? undefined : this.host.models.contextLengthOf(model);
  }

  /** Whether such a request can be served here at all. */
  canServe(facts: RequestFacts): boolean {
    return this.lacks(facts) === undefined;
  }

  /** What such a request needs that is not to be had here. */
  lacks({ path, bytes, needs }: RequestFacts): Lack | undefined {
    const { contextLength, tools, vision, endpoints } = this.capabilities;
    if (endpoints && !endpoints.includes(path)) return 'endpoint';
    const isLong = contextLength !== undefined && bytes / MOST_BYTES_PER_TOKEN > contextLength;
    if (!isLong && tools !== false && vision !== false) return undefined;
    const wanted = needs?.();
    if (wanted?.tools && tools === false) return 'tools';
    if (wanted?.vision && vision === false) return 'vision';
    // The bytes of an image are no measure of its tokens.
    return isLong && wanted?.vision !== true ? 'context_length' : undefined;
  }

  /** The model that is asked for there. */
  modelFor(asked: string | undefined): string | undefined {
    return this.model ?? asked;
  }
}
