import {
  continuationRequest,
  type Dialect,
  type HostResponse,
  type HostStream,
  type JsonObject,
  parseExactly,
  type Resumption,
  type RouteReading,
} from '@morgan/distributed-llm';

/** What an interrupted response is finished with. */
export interface StreamResumptionParts {
  readonly hosts: RouteReading['hosts'];
  readonly dialectName: Dialect['name'];
  readonly body: Buffer;
  /** Asks one of these hosts; undefined where it refuses, or answers without a stream. */
  readonly ask: (
    body: Buffer,
    how: { readonly only: readonly string[]; readonly takesUp: Mode },
  ) => Promise<HostResponse | undefined>;
}

type Mode = Parameters<Resumption['reopen']>[0];

/** Of a longer request, as with images, nothing else is made: that holds everybody else up. Others begin its response again. */
const LONGEST_CONTINUED = 4 * 1024 * 1024;
/** A response is taken up at most so often. */
const MOST_RESUMES = 2;

/** Finds the hosts that finish an interrupted response: none that has begun it, each asked in its own way. */
export class StreamResumption implements Resumption {
  readonly limit = MOST_RESUMES;
  readonly #parts: StreamResumptionParts;
  readonly #begun: Set<string>;
  #attempts: number;

  /** @param first the response that may be interrupted. */
  constructor(first: HostResponse, parts: StreamResumptionParts) {
    this.#parts = parts;
    this.#begun = new Set([first.host]);
    this.#attempts = first.attempts;
  }

  attempts(): number {
    return this.#attempts;
  }

  async reopen(
    mode: Mode,
    sent: { readonly text: string; readonly tokens: number },
  ): Promise<HostStream | undefined> {
    const { hosts, body, dialectName } = this.#parts;
    const others = hosts.filter(({ name }) => !this.#begun.has(name));
    if (mode === 'restart') return this.#ask(mode, body, others);
    const style = others.find(({ continuation }) => continuation !== undefined)?.continuation;
    if (style === undefined || body.length > LONGEST_CONTINUED) return undefined;
    const json = parseExactly(body.toString()) as JsonObject;
    const rest = continuationRequest(dialectName, style, json, sent);
    const able = others.filter(({ continuation }) => continuation === style);
    return rest && this.#ask(mode, Buffer.from(JSON.stringify(rest)), able);
  }

  async #ask(mode: Mode, body: Buffer, hosts: RouteReading['hosts']): Promise<HostStream | undefined> {
    if (hosts.length === 0) return undefined;
    const only = hosts.map(({ name }) => name);
    const response = await this.#parts.ask(body, { only, takesUp: mode });
    this.#attempts += response?.attempts ?? 1;
    if (!response) return undefined;
    this.#begun.add(response.host);
    return response.stream;
  }
}
