import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { good, type HostRequest, json, type Reply } from './replies.ts';

/** A call as a host saw it. */
export interface Sighting {
  /** On the clock of `performance.now()`. */
  readonly at: number;
  /** Who asked: the text of the last message. */
  readonly caller: string;
  /** What the host did. */
  readonly did: string;
}

/** What a host does at the moment. */
export interface Behaviour {
  readonly name: string;
  readonly reply: Reply;
}

export const GOOD: Behaviour = { name: 'ok', reply: good };
/** Nobody listens. */
export const REFUSED = 'refused';

/** A host with a real port that answers as the case says at the moment, and writes down who asked it and when. */
export class FaultHost {
  readonly name: string;
  readonly seen: Sighting[] = [];
  readonly #server: Server;
  #port = 0;
  #behaviour: Behaviour = GOOD;
  /** How the list of models is answered; by default there is none, as behind many proxies. */
  list: Reply = json(404, { detail: 'Not Found' });
  probes = 0;

  constructor(name: string) {
    this.name = name;
    this.#server = createServer(
      { keepAliveTimeout: 60_000 },
      (request, response) => void this.#respond(request, response),
    );
  }

  static async start(name: string): Promise<FaultHost> {
    const host = new FaultHost(name);
    await host.#listen();
    return host;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/v1`;
  }

  /** From now on. */
  async behave(behaviour: Behaviour): Promise<void> {
    this.#behaviour = behaviour;
    if (behaviour.name === REFUSED) await this.close();
    else if (!this.#server.listening) await this.#listen();
  }

  /** The calls of one caller. */
  seenOf(caller: string): readonly Sighting[] {
    return this.seen.filter((sighting) => sighting.caller === caller);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    if (request.method === 'GET') {
      this.probes += 1;
      return this.list(response, { model: '', isStream: false, says: '' });
    }
    const asked = await readRequest(request);
    if (!asked) return;
    const { name, reply } = this.#behaviour;
    this.seen.push({ at: performance.now(), caller: asked.says, did: name });
    reply(response, asked);
  }
}

async function readRequest(request: IncomingMessage): Promise<HostRequest | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  const body = JSON.parse(Buffer.concat(chunks).toString()) as {
    model: string;
    stream?: boolean;
    messages: { content: string }[];
  };
  return { model: body.model, isStream: body.stream === true, says: body.messages.at(-1)?.content ?? '' };
}
