import { QuantileWindow } from '@morgan/foundation';
import type { Capabilities } from '../hosts/host-list.ts';
import type { Host } from '../hosts/host.ts';
import type { Candidate } from '../strategies/strategy.ts';
import { TargetLoad } from '../strategies/target-load.ts';
import type { RequestFacts } from './request-facts.ts';

/** What a target is made of. */
export interface TargetOptions {
  readonly host: Host;
  /** The model to ask for there; left out: the one that the caller named. */
  readonly model?: string | undefined;
  readonly weight?: number | undefined;
  readonly capabilities?: Capabilities | undefined;
}

const HISTORY = 64;
const LEAST_HISTORY = 3;
/** A wait is unlikely where it is so many times longer than nearly all waits before it were. */
const UNLIKELY_FACTOR = 2;
const NEARLY_ALL = 0.95;
/** Below this no silence is remarkable, in milliseconds. */
const LEAST_UNLIKELY_MS = 250;
/** Bytes per token at which nobody doubts that a text is too long. */
const MOST_BYTES_PER_TOKEN = 8;

/** A host to be asked for a certain model: what a route leads to, and what strategies choose from. */
export class Target implements Candidate {
  readonly host: Host;
  readonly model: string | undefined;
  readonly capabilities: Capabilities;
  readonly load = new TargetLoad();
  readonly #weight: number;
  readonly #history = { streamed: new QuantileWindow(HISTORY), whole: new QuantileWindow(HISTORY) };

  constructor({ host, model, weight = 1, capabilities }: TargetOptions) {
    this.host = host;
    this.model = model;
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
    return this.load.tokensInFlight;
  }

  get ttftMs(): number | undefined {
    return this.load.ttftMsAt(performance.now());
  }

  /** In tokens, prompt and answer together: as declared, else as the host's list says. */
  contextLengthFor(asked: string | undefined): number | undefined {
    const model = this.modelFor(asked);
    if (this.capabilities.contextLength !== undefined) return this.capabilities.contextLength;
    return model === undefined ? undefined : this.host.models.contextLengthOf(model);
  }

  /** Whether such a request can be served here at all. */
  canServe({ path, bytes, needs }: RequestFacts): boolean {
    const { contextLength, tools, vision, endpoints } = this.capabilities;
    if (endpoints && !endpoints.includes(path)) return false;
    const isLong = contextLength !== undefined && bytes / MOST_BYTES_PER_TOKEN > contextLength;
    if (!isLong && tools !== false && vision !== false) return true;
    const wanted = needs?.();
    if ((wanted?.tools && tools === false) || (wanted?.vision && vision === false)) return false;
    // The bytes of an image are no measure of its tokens.
    return !isLong || wanted?.vision === true;
  }

  /** The model that is asked for there. */
  modelFor(asked: string | undefined): string | undefined {
    return this.model ?? asked;
  }

  /** The first content came. */
  began(afterMs: number, kind: 'streamed' | 'whole'): void {
    this.#history[kind].add(afterMs);
  }

  /** The longest silence before content that is not remarkable here, in milliseconds. None while too little is known. */
  usualSilenceMs(kind: 'streamed' | 'whole'): number | undefined {
    const history = this.#history[kind];
    if (history.size < LEAST_HISTORY) return undefined;
    const usual = history.quantile(NEARLY_ALL) as number;
    return Math.max(LEAST_UNLIKELY_MS, UNLIKELY_FACTOR * usual);
  }
}
