import type { DistributedLlmClient, HostRequest, HostResponse, RouteReading } from '@morgan/distributed-llm';
import { AppError, type JsonObject, type Logger } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import { contextOf, type RequestContext } from '@morgan/http-server';
import {
  askedMessage,
  ClientStream,
  type Dialect,
  dialectOf,
  type HostStream,
  MessageEvents,
  readBody,
  type StreamFault,
  StreamRelay,
  type StreamTranslator,
  toldStream,
  TranslatedStream,
  WholeBody,
} from '@morgan/llm-protocol';
import { writeStreamHead } from '../exchange/write-head.ts';
import type { ResponseMetrics } from './response-metrics.ts';
import { type ResponseRoom, heldResponse } from '../exchange/held-response.ts';
import { asBuffer } from '../messages/message-body.ts';
import type { MessageReader } from '../messages/message-reader.ts';
import { type ChatCall, chatHostsOf } from '../messages/message-translation.ts';
import type { IncomingCall } from '../exchange/outbound-call.ts';
import type { StreamConfig } from './stream.config.ts';
import { noteResponse } from './note-response.ts';
import { noteUsage } from './note-usage.ts';
import { StreamResumption } from './stream-resumption.ts';

/** What streamed responses are passed on with. */
interface StreamedResponseParts {
  readonly llm: DistributedLlmClient;
  readonly config: StreamConfig;
  readonly metrics: ResponseMetrics;
  readonly reader: MessageReader;
  readonly logger: Logger;
}

/** A streamed call as it goes to a host. */
interface StreamedCall {
  readonly request: HostRequest;
  /** Of the host's response. */
  readonly dialect: Dialect;
  readonly callerDialect: Dialect;
  /** That the host is asked on, without a query. */
  readonly path: string;
  /** Where the caller asked for a message, and the host speaks chat completions. */
  readonly message?: JsonObject | undefined;
  /** For a response that comes whole. */
  readonly room: ResponseRoom;
  readonly translator?: StreamTranslator | undefined;
  /** Makes of the body of a message the call of hosts that speak chat completions only. */
  readonly asChat: (body: Buffer, only: readonly string[]) => Promise<ChatCall>;
  /** Tells who made the response of this id, and once more where it broke off before its tokens were counted. */
  readonly onId?: ((id: string, host: string, isCounted?: boolean) => void) | undefined;
  /** Of a response that is kept: whether its tokens are counted now, which is done once. */
  readonly mayCount?: (() => boolean) | undefined;
}

/** What a host says that was asked for the rest of a response: a stream, or nothing of use. */
type Rest = Pick<HostResponse, 'host'> & Partial<Pick<HostResponse, 'stream'>>;

/** More than any refusal has. */
const LONGEST_REFUSAL = 64 * 1024;

/** One streamed response on its way from hosts to a caller, held to docs/streaming.md. */
export class StreamedResponse {
  readonly #parts: StreamedResponseParts;
  readonly #call: StreamedCall;
  readonly #incoming: IncomingCall;
  readonly #context: RequestContext;
  readonly #route: RouteReading;
  readonly #client: ClientStream;
  #response: HostResponse | undefined;
  #waitsForDrain = false;

  constructor(parts: StreamedResponseParts, call: StreamedCall, incoming: IncomingCall) {
    this.#parts = parts;
    this.#call = call;
    this.#incoming = incoming;
    this.#context = contextOf(incoming.request);
    this.#route = parts.llm.routeOf(call.request.model);
    this.#client = this.#openClient();
  }

  /**
   * Resolves when the caller has everything or is gone.
   * @param given a stream that a host has answered with already. Default: one is asked for.
   * @returns a response that is no stream, to be passed on by whoever asked.
   * @throws AppError where no host answered, and nothing has left yet.
   */
  async run(given?: HostResponse): Promise<HostResponse | undefined> {
    const client = this.#client;
    try {
      const response = given ?? (await this.#parts.llm.send(this.#call.request, this.#context));
      const { stream } = response;
      if (!stream) return await this.#passNoStream(response);
      this.#begin(response);
      await this.#relay(response, stream);
    } catch (error) {
      if (!client.hasBegun) {
        client.release();
        throw error;
      }
      if (!(error instanceof AppError)) throw error;
      this.#fail(wordsOf(error), error);
    }
    await client.closed;
    return undefined;
  }

  #openClient(): ClientStream {
    const { reply } = this.#incoming;
    const { keepAliveMs, earlyKeepAliveMs = Infinity } = this.#parts.config;
    return new ClientStream(reply.raw, {
      dialect: this.#call.callerDialect,
      writeHead: () => writeStreamHead(reply, this.#response),
      keepAliveMs,
      earlyKeepAliveMs,
      onFull: () => this.#onFull(),
    });
  }

  #onFull(): void {
    const { reply, request } = this.#incoming;
    const { stalledReaders } = request.server;
    stalledReaders.watch(reply.raw, this.#context.id);
    if (this.#waitsForDrain) return;
    this.#waitsForDrain = true;
    reply.raw.once('drain', () => {
      this.#waitsForDrain = false;
      stalledReaders.unwatch(reply.raw);
    });
  }

  #begin(response: HostResponse): void {
    this.#response = response;
    noteResponse(this.#context, response, this.#call.request);
  }

  async #passNoStream(response: HostResponse): Promise<HostResponse | undefined> {
    const client = this.#client;
    const whole = await this.#wholeOf(response);
    if (response.status < 400 && whole && (await this.#passWhole(response, whole))) {
      await client.closed;
      return undefined;
    }
    if (!client.hasBegun) {
      client.release();
      return whole ? { ...response, whole, body: new WholeBody(whole) } : response;
    }
    const bytes = whole ?? (await response.body.bytes(LONGEST_REFUSAL));
    const said = response.status < 400 ? undefined : readBody(this.#call.dialect, bytes)?.error;
    const error = new AppError('host_error', `The host ${response.host} answered without a stream.`);
    this.#fail(said ? { ...said, status: response.status } : wordsOf(error), error);
    await client.closed;
    return undefined;
  }

  /** All of a response in JSON, however long: a client that waits for events takes a JSON for one without a word. */
  async #wholeOf(response: HostResponse): Promise<Buffer | undefined> {
    const { status, whole, contentType = '' } = response;
    const isTold = status < 400 && this.#call.dialect.eventsOf && /json/i.test(contentType);
    return isTold ? heldResponse(response, this.#call.room) : whole;
  }

  /** @returns whether the response could be told as a stream. */
  async #passWhole(response: HostResponse, whole: Buffer): Promise<boolean> {
    const { path, message, onId } = this.#call;
    const wantsUsage = this.#incoming.outline?.wantsUsage ?? false;
    const told = await this.#parts.reader.events(whole, { path, wantsUsage, message });
    if (!told) return false;
    this.#begin(response);
    this.#client.send(asBuffer(told.bytes));
    this.#client.complete(undefined);
    if (told.id !== undefined) onId?.(told.id, response.host);
    noteUsage(this.#parts.metrics, response, told.usage, this.#incoming);
    return true;
  }

  async #relay(response: HostResponse, stream: HostStream): Promise<void> {
    const { metrics } = this.#parts;
    const { dialect, request, translator, onId } = this.#call;
    const { host } = response;
    const responses: [HostResponse, ...HostResponse[]] = [response];
    let made: string | undefined;
    const noteId = (id: string) => {
      made = id;
      onId?.(id, host);
    };
    const resumption = this.#resumption(responses);
    const outcome = await new StreamRelay(this.#client, stream, {
      dialect,
      wantsUsage: this.#incoming.outline?.wantsUsage ?? false,
      asksUsage: request.asksUsage,
      ...(translator && { translator }),
      ...(resumption && { resumption }),
      ...(onId && { onId: noteId }),
      onUnreadable: (count) => this.#context.note('unreadableEvents', count),
      onFault: (fault) => this.#interrupted((responses.at(-1) ?? response).host, fault),
    }).run();
    const { mayCount } = this.#call;
    const isCounted = !mayCount || (outcome.usages.some(({ output }) => output) && mayCount());
    outcome.usages.forEach((usage, at) => {
      if (isCounted) noteUsage(metrics, responses[at] ?? response, usage, this.#incoming);
    });
    if (made !== undefined && outcome.usages.every((usage) => usage === undefined)) onId?.(made, host, false);
    metrics.streamEnded(host, outcome);
  }

  #interrupted(host: string, { reason, cause }: StreamFault): void {
    const { metrics, logger } = this.#parts;
    const code = cause instanceof AppError ? cause.code : 'stream_interrupted';
    if (code === 'client_closed_request') return;
    this.#context.errorCode = code;
    metrics.interrupted(reason);
    logger.warn({ requestId: this.#context.id, host, reason, cause }, 'a stream was interrupted');
  }

  /**
   * None for what nobody could go on with: structured output, several choices, and routes without another host. Of those
   * nothing that was sent is kept.
   * @param responses takes those that take the first one up.
   */
  #resumption(responses: [HostResponse, ...HostResponse[]]): StreamResumption | undefined {
    const { llm, config } = this.#parts;
    const { outline } = this.#incoming;
    const { dialect, request } = this.#call;
    const onInterrupt = this.#route.onInterrupt ?? config.onInterrupt;
    const { hosts } = this.#route;
    if (onInterrupt === 'error' || hosts.every(({ name }) => name === responses[0].host)) return undefined;
    if (!outline || outline.isStructured || outline.choices > 1) return undefined;
    const { asChat, path } = this.#call;
    return new StreamResumption(responses[0], {
      hosts,
      servedBy: () => llm.routeOf(request.model).servedBy(path),
      dialectName: dialect.name,
      body: request.body ?? outline.bytes,
      mostTokens: outline.mostTokens,
      attempts: () => request.log?.count ?? responses.length,
      ask: (body, how) => this.#askRest({ ...request, body, ...how }, responses),
      ...(dialect.name === 'messages' && {
        others: {
          names: () => chatHostsOf(this.#call, llm),
          ask: async (body, { only, takesUp }) => {
            const { request: chat, message, path: chatPath } = await asChat(body, only);
            const response = await this.#askRest({ ...chat, only, takesUp }, responses, chatPath);
            if (!response.stream) return response;
            const translator = new MessageEvents(askedMessage(message));
            const { host, stream } = response;
            return { host, stream: new TranslatedStream(stream, translator, dialect) };
          },
        },
      }),
    });
  }

  /**
   * @param responses takes the response, where there is one.
   * @param path that the host is asked on, without a query.
   */
  async #askRest(request: HostRequest, responses: HostResponse[], path = this.#call.path): Promise<Rest> {
    const response = await this.#parts.llm.send({ ...request, earlierAttempts: 0 }, this.#context);
    const { host, status } = response;
    const stream = status < 400 ? (response.stream ?? (await this.#told(response, path))) : undefined;
    if (!stream) {
      response.body.destroy();
      return { host };
    }
    this.#context.note('resumedAt', host);
    responses.push(response);
    return { host, stream };
  }

  /** What a host has told as a whole that does not stream. */
  async #told(response: HostResponse, path: string): Promise<HostStream | undefined> {
    const whole = await this.#wholeOf(response);
    const told = whole && (await this.#parts.reader.events(whole, { path, wantsUsage: true }));
    return told && toldStream(asBuffer(told.bytes), dialectOf(path));
  }

  /** Nothing of a response has come. */
  #fail(error: ReportedError, { code }: AppError): void {
    this.#context.errorCode = code;
    this.#incoming.permit?.failed();
    this.#client.fail(error, 0, { model: this.#call.request.model });
  }
}

function wordsOf(error: AppError): ReportedError {
  const { type, code, message } = error.toEnvelope().error;
  return { status: error.status, type, code, message };
}
