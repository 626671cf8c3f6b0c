import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ResponseContent } from './response-content.ts';
import { chatCompletion } from './chat-completion.ts';
import { type CompletionRequest, readCompletionRequest, unknownModel } from './completion-request.ts';
import { type Pace, pause, sendBody, sendEvents, sendReply } from './delivery.ts';
import { errorReply, type Reply, RequestRefused } from './error-reply.ts';
import { type Fault, isStreamFault, type StreamFault } from './fault.ts';
import { messageCount, messagesResponse, messagesRefusal } from './messages-api.ts';
import { RecordedRequest } from './recorded-request.ts';
import { RequestLog } from './request-log.ts';
import { ResponsesApi } from './responses-api.ts';
import { textCompletion } from './text-completion.ts';

/** Everything is optional: by default a host on a free port of 127.0.0.1 that answers as fast as it can. */
export interface FakeLlmHostOptions extends Partial<Pace> {
  readonly port?: number;
  readonly host?: string;
  /** Sent as the header `x-simulated-host`, so that a test can tell hosts apart. Default `simulated`. */
  readonly name?: string;
  readonly models?: readonly string[];
  /** Said to every chat and completion request instead of an echo. */
  readonly answer?: string;
  /** Requests without this key, as a bearer token or in `x-api-key`, get 401. */
  readonly apiKey?: string;
  readonly fault?: Fault;
  /** Every path that does not begin with one of these gets 404. Default: all that it knows. */
  readonly speaks?: readonly string[];
  /** At most how many requests are remembered; older ones are forgotten. Default 1,000. */
  readonly recordLimit?: number;
}

type Settings = Required<Omit<FakeLlmHostOptions, 'answer' | 'apiKey' | 'fault' | 'speaks'>> &
  FakeLlmHostOptions;

const DEFAULTS = {
  port: 0,
  host: '127.0.0.1',
  name: 'simulated',
  models: ['simulated'],
  timeToFirstTokenMs: 0,
  tokensPerSecond: 0,
  recordLimit: 1000,
};

const MESSAGES_PATH = '/v1/messages';
const RESPONSE_PATH = '/v1/responses/';

/** Starts a simulated LLM host and resolves once it listens. @throws Error when the port is taken. */
export async function startFakeLlmHost(options: FakeLlmHostOptions = {}): Promise<FakeLlmHost> {
  const host = new FakeLlmHost({ ...DEFAULTS, ...options });
  await host.listen();
  return host;
}

/**
 * A host that speaks OpenAI's chat, completion and Responses API and Anthropic's messages over a real socket without a model: deterministic, as fast or
 * slow as wanted, and able to fail in every way a real one does. It always says that it is simulated.
 */
export class FakeLlmHost {
  readonly #settings: Settings;
  readonly #server: Server;
  readonly #log: RequestLog;
  readonly #responses = new ResponsesApi();
  readonly #makers = new Map<
    string,
    (request: CompletionRequest, fixedText?: string) => ResponseContent | Reply
  >([
    ['/v1/chat/completions', chatCompletion],
    ['/v1/completions', textCompletion],
    ['/v1/responses', (request, fixedText) => this.#responses.create(request, fixedText)],
    [MESSAGES_PATH, messagesResponse],
    [`${MESSAGES_PATH}/count_tokens`, messageCount],
  ]);
  readonly #created = Math.floor(Date.now() / 1000);
  #fault: { readonly is: Fault; left: number } | undefined;
  #port: number;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#port = settings.port;
    this.#log = new RequestLog(settings.recordLimit);
    this.#fault = settings.fault && { is: settings.fault, left: settings.fault.times ?? Infinity };
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => void this.#respond(request, response, Buffer.concat(chunks)));
    });
  }

  /** Where its API is, such as `http://127.0.0.1:43210/v1`. */
  get url(): string {
    const { host } = this.#settings;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#port}/v1`;
  }

  /** The latest requests of callers, oldest first: all but what health probes ask, who come whenever they like. */
  get calls(): readonly RecordedRequest[] {
    return this.requests.filter(({ method, path }) => method !== 'GET' || path !== '/v1/models');
  }

  /** The latest requests, oldest first. */
  get requests(): readonly RecordedRequest[] {
    return this.#log.requests;
  }

  /** Resolves with the earliest POST request that no call has returned yet, now or when it comes. */
  nextRequest(): Promise<RecordedRequest> {
    return this.#log.next();
  }

  /** Begins to fail, or with `undefined` to work again. Resolves when a listener that closes or reopens has done so. */
  async setFault(fault: Fault | undefined): Promise<void> {
    this.#fault = fault && { is: fault, left: fault.times ?? Infinity };
    if (fault?.kind === 'refuse') await this.close();
    else if (!this.#server.listening) await this.listen();
  }

  /** Opens the port: the one it had before, if it had one. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, this.#settings.host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    if (this.#fault?.is.kind === 'refuse') await this.close();
  }

  /** Closes the port and cuts every open connection. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #respond(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    this.#log.add(new RecordedRequest(request, response, body));
    response.setHeader('x-simulated-host', this.#settings.name);
    const fault = this.#takeFault(request.method);
    const streamFault = fault && isStreamFault(fault) ? fault : undefined;
    if (fault && !isStreamFault(fault) && (await this.#fail(response, fault))) return;
    try {
      await this.#serve(request, response, body, streamFault);
    } catch (error) {
      const reply = error instanceof RequestRefused ? error.reply : errorReply(500, String(error));
      const isMessages = request.url?.startsWith(MESSAGES_PATH);
      if (!response.headersSent) sendReply(response, isMessages ? messagesRefusal(reply) : reply);
    }
  }

  #takeFault(method: string | undefined): Fault | undefined {
    const fault = this.#fault;
    if (!fault || (fault.left !== Infinity && method !== 'POST')) return undefined;
    fault.left -= 1;
    if (fault.left <= 0) this.#fault = undefined;
    return fault.is;
  }

  /** Whether the fault is the whole response. */
  async #fail(response: ServerResponse, fault: Exclude<Fault, StreamFault>): Promise<boolean> {
    switch (fault.kind) {
      case 'status': {
        const { status, body, headers } = fault;
        const reply = errorReply(status, `The simulated host fails with ${status}, as it was told to.`);
        sendReply(response, {
          ...reply,
          ...(body === undefined ? {} : { body }),
          ...(headers && { headers }),
        });
        return true;
      }
      case 'reset-before-headers':
        response.socket?.resetAndDestroy();
        return true;
      case 'bad-http':
        response.socket?.end('\u0015\u0003\u0001 this is not HTTP\r\n\r\n');
        return true;
      case 'stall-before-headers':
        return true;
      case 'slow':
        await pause(response, fault.delayMs);
        return response.closed;
      case 'refuse':
        return false;
    }
  }

  async #serve(
    { method, url, headers }: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    fault: StreamFault | undefined,
  ): Promise<void> {
    const { apiKey, models, speaks, answer: fixedText } = this.#settings;
    if (
      apiKey !== undefined &&
      headers.authorization !== `Bearer ${apiKey}` &&
      headers['x-api-key'] !== apiKey
    ) {
      throw new RequestRefused(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
    }
    const path = url?.split('?')[0] ?? '';
    if (speaks && !speaks.some((prefix) => path.startsWith(prefix))) throw unknownUrl(method, path);
    if (path.startsWith(RESPONSE_PATH) && (method === 'GET' || method === 'DELETE'))
      return sendReply(response, this.#responses.stored(method, path.slice(RESPONSE_PATH.length)));
    if (method === 'GET') return sendReply(response, this.#models(path));
    const make = this.#makers.get(path);
    if (method !== 'POST' || !make) throw unknownUrl(method, path);
    const completion: CompletionRequest = readCompletionRequest(body, models);
    const content = make(completion, fixedText);
    if ('status' in content) return sendReply(response, content);
    const send = completion.isStream ? sendEvents : sendBody;
    await send(response, content, this.#settings, fault);
  }

  #models(path: string): Reply {
    const describe = (id: string) => ({
      id,
      object: 'model',
      created: this.#created,
      owned_by: 'morgan-simulated',
    });
    const { models } = this.#settings;
    if (path === '/v1/models') {
      return { status: 200, body: JSON.stringify({ object: 'list', data: models.map(describe) }) };
    }
    if (!path.startsWith('/v1/models/')) throw unknownUrl('GET', path);
    const id = decodeURIComponent(path.slice('/v1/models/'.length));
    if (!models.includes(id)) throw unknownModel(id);
    return { status: 200, body: JSON.stringify(describe(id)) };
  }
}

function unknownUrl(method: string | undefined, path: string): RequestRefused {
  return new RequestRefused(404, `Unknown request URL: ${method} ${path}.`, { code: 'unknown_url' });
}
