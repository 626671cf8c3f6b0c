import { AppError, type JsonObject } from '@morgan/foundation';
import type { HostResponse, RouteReading } from '@morgan/distributed-llm';
import {
  continuationRequest,
  type ContinuationStyle,
  type Dialect,
  parseExactly,
  type ResponseStream,
  type Resumption,
} from '@morgan/llm-protocol';

/** What an interrupted response is finished with. */
interface StreamResumptionParts {
  readonly hosts: RouteReading['hosts'];
  /** The names of those that may have the path of the response, as far as is known by now. */
  readonly servedBy: () => readonly string[];
  readonly dialectName: Dialect['name'];
  readonly body: Buffer;
  /** How many tokens the response may have, if the caller says so. */
  readonly mostTokens: number;
  /** How many attempts were made so far. */
  readonly attempts: () => number;
  readonly ask: AskForRest;
  /** The hosts that know another dialect only, as far as is known by now. */
  readonly others?: { readonly names: () => readonly string[]; readonly ask: AskForRest };
}

/** Asks one of these hosts. Undefined: none of them has answered. */
type AskForRest = (
  body: Buffer,
  how: { readonly only: readonly string[]; readonly takesUp: Mode },
) => Promise<Reopened | undefined>;

/** A response that goes on with one that was interrupted, in its dialect; without a stream where its host refuses that. */
type Reopened = Pick<HostResponse, 'host'> & { readonly stream?: ResponseStream | undefined };

type Mode = Parameters<Resumption['reopen']>[0];
type Interrupted = Parameters<Resumption['reopen']>[1];

/** A longer request, as with images, is not changed into one for the rest, which would hold up all other calls: it is only asked again. */
const LONGEST_CONTINUED = 4 * 1024 * 1024;
/** A response is taken up at most so often. */
const MOST_RESUMES = 2;
/** Of hosts that refuse what another has begun to answer, so many are asked. */
const MOST_REFUSALS = 2;

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
    // Whoever makes a chat completion of it marks its beginning as they want it.
    return this.#askInTurn(mode, others, () => this.#bodyFor(mode, 'chat', 'prefill', sent));
  }

  #reopen(mode: Mode, sent: Interrupted): Promise<ResponseStream | undefined> {
    const { servedBy: names, dialectName, ask } = this.#parts;
    return this.#askInTurn(mode, { names, ask }, (style) => this.#bodyFor(mode, dialectName, style, sent));
  }

  /** A refusal says nothing of the next host: the first one has not refused. */
  async #askInTurn(
    mode: Mode,
    { names, ask }: Required<StreamResumptionParts>['others'],
    bodyFor: (style: ContinuationStyle | undefined) => Buffer | undefined,
  ): Promise<ResponseStream | undefined> {
    const refusing = new Set<string>();
    while (refusing.size < MOST_REFUSALS) {
      const able = this.#able(
        mode,
        names().filter((name) => !refusing.has(name)),
      );
      const body = able[0] && bodyFor(able[0].continuation);
      const only = able.map(({ name }) => name);
      const response = body && (await ask(body, { only, takesUp: mode }));
      if (!response) return undefined;
      if (!response.stream) refusing.add(response.host);
      else {
        this.#begun.add(response.host);
        return response.stream;
      }
    }
    return undefined;
  }

  /** Those of the named hosts that can be asked so: to go on, all in the way of the first that does. */
  #able(mode: Mode, names: readonly string[]): RouteReading['hosts'] {
    const others = this.#parts.hosts.filter(({ name }) => names.includes(name) && !this.#begun.has(name));
    if (mode === 'restart') return others;
    const style = others.find(({ continuation }) => continuation !== undefined)?.continuation;
    return others.filter(({ continuation }) => continuation !== undefined && continuation === style);
  }

  /** The request, with what was sent as the beginning of its response where that is to be gone on with. */
  #bodyFor(
    mode: Mode,
    dialectName: Dialect['name'],
    style: ContinuationStyle | undefined,
    sent: Interrupted,
  ): Buffer | undefined {
    const { body } = this.#parts;
    if (mode === 'restart') return body;
    if (style === undefined || body.length > LONGEST_CONTINUED) return undefined;
    const json = parseExactly(body.toString()) as JsonObject;
    const rest = continuationRequest(dialectName, style, json, sent);
    return rest && Buffer.from(JSON.stringify(rest));
  }
}
