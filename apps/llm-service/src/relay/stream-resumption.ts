import { AppError, type JsonObject } from '@morgan/foundation';
import {
  continuationRequest,
  type ContinuationStyle,
  type Dialect,
  type HostResponse,
  parseExactly,
  type ResponseStream,
  type Resumption,
  type RouteReading,
} from '@morgan/distributed-llm';

/** What an interrupted response is finished with. */
export interface StreamResumptionParts {
  readonly hosts: RouteReading['hosts'];
  /** The names of those that may have the path of the response, as far as is known by now. */
  readonly servedBy: () => readonly string[];
  readonly dialectName: Dialect['name'];
  readonly body: Buffer;
  /** How many tokens the response may have, if the caller says so. */
  readonly mostTokens: number;
  /** How many attempts were made so far. */
  readonly attempts: () => number;
  /** Asks one of these hosts; undefined where it refuses, or answers without a stream. */
  readonly ask: (
    body: Buffer,
    how: { readonly only: readonly string[]; readonly takesUp: Mode },
  ) => Promise<HostResponse | undefined>;
  /** The hosts that know another dialect only, as far as is known by now; asked as above. */
  readonly others?: {
    readonly names: () => readonly string[];
    readonly ask: (
      body: Buffer,
      how: { readonly only: readonly string[]; readonly takesUp: Mode },
    ) => Promise<Reopened | undefined>;
  };
}

/** A response that goes on with one that was interrupted, in its dialect. */
export type Reopened = Pick<HostResponse, 'host'> & { readonly stream?: ResponseStream | undefined };

type Mode = Parameters<Resumption['reopen']>[0];
type Interrupted = Parameters<Resumption['reopen']>[1];

/** Of a longer request, as with images, nothing else is made: that holds everybody else up. Others begin its response again. */
const LONGEST_CONTINUED = 4 * 1024 * 1024;
/** A response is taken up at most so often. */
const MOST_RESUMES = 2;

/** Finds the hosts that finish an interrupted response: none that has begun it, each asked in its own way. */
export class StreamResumption implements Resumption {
  readonly limit = MOST_RESUMES;
  readonly #parts: StreamResumptionParts;
  readonly #begun: Set<string>;

  /** @param first the response that may be interrupted. */
  constructor(first: HostResponse, parts: StreamResumptionParts) {
    this.#parts = parts;
    this.#begun = new Set([first.host]);
  }

  get mostTokens(): number {
    return this.#parts.mostTokens;
  }

  attempts(): number {
    return this.#parts.attempts();
  }

  async reopen(mode: Mode, sent: Interrupted): Promise<ResponseStream | undefined> {
    const { others } = this.#parts;
    if (!others) return this.#reopen(mode, sent);
    try {
      const stream = await this.#reopen(mode, sent);
      if (stream) return stream;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
    const able = this.#able(mode, others.names());
    if (able.length === 0) return undefined;
    // Whoever makes a chat completion of it marks its beginning as they want it.
    const body = mode === 'restart' ? this.#parts.body : this.#bodyWith('chat', 'prefill', sent);
    return body && this.#taken(await others.ask(body, { only: namesOf(able), takesUp: mode }));
  }

  async #reopen(mode: Mode, sent: Interrupted): Promise<ResponseStream | undefined> {
    const { servedBy, body, dialectName, ask } = this.#parts;
    const able = this.#able(mode, servedBy());
    const style = able[0]?.continuation;
    const rest = mode === 'restart' ? body : style && this.#bodyWith(dialectName, style, sent);
    if (!rest || able.length === 0) return undefined;
    return this.#taken(await ask(rest, { only: namesOf(able), takesUp: mode }));
  }

  /** Those of the named hosts that can be asked so: to go on, all in the way of the first that does. */
  #able(mode: Mode, names: readonly string[]): RouteReading['hosts'] {
    const others = this.#parts.hosts.filter(({ name }) => names.includes(name) && !this.#begun.has(name));
    if (mode === 'restart') return others;
    const style = others.find(({ continuation }) => continuation !== undefined)?.continuation;
    return others.filter(({ continuation }) => continuation !== undefined && continuation === style);
  }

  /** The request with what was sent as the beginning of its response. */
  #bodyWith(dialectName: Dialect['name'], style: ContinuationStyle, sent: Interrupted): Buffer | undefined {
    const { body } = this.#parts;
    if (body.length > LONGEST_CONTINUED) return undefined;
    const json = parseExactly(body.toString()) as JsonObject;
    const rest = continuationRequest(dialectName, style, json, sent);
    return rest && Buffer.from(JSON.stringify(rest));
  }

  #taken(response: Reopened | undefined): ResponseStream | undefined {
    if (!response) return undefined;
    this.#begun.add(response.host);
    return response.stream;
  }
}

function namesOf(hosts: RouteReading['hosts']): readonly string[] {
  return hosts.map(({ name }) => name);
}
