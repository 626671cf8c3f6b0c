import type { DistributedLlmClient, HostResponse } from '@morgan/distributed-llm';
import { AppError, type Logger } from '@morgan/foundation';
import { contextOf } from '@morgan/http-server';
import { askedMessage, MessageEvents, readBody, type TokenUsage } from '@morgan/llm-protocol';
import type { CallerLimits } from '../callers/caller-limits.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { FormConfig } from '../forms/form.config.ts';
import { openForm } from '../forms/form-upload.ts';
import type { ResponseMetrics } from './response-metrics.ts';
import { type CallTimeouts, timeoutMsOf } from './call-timeouts.config.ts';
import { callerOf, keptIdOf, toOwner } from './kept-response.ts';
import { LearnedHabits } from '../messages/learned-habits.ts';
import {
  asChatCall,
  type ChatCall,
  chatHostsOf,
  continuationOf,
  isUnknownPath,
  messageResponse,
  mustTranslate,
  NOTHING,
} from '../messages/message-translation.ts';
import { callWithoutForeignParts } from '../messages/call-without-foreign-parts.ts';
import { countHop } from '../exchange/hops.ts';
import type { ResponseRoom } from '../exchange/held-response.ts';
import type { MessageConfig } from '../messages/message.config.ts';
import { MessageReader } from '../messages/message-reader.ts';
import { type IncomingCall, type OutboundCall, outboundCall } from '../exchange/outbound-call.ts';
import { noteResponse } from './note-response.ts';
import { noteUsage } from './note-usage.ts';
import type { ResponseOwner, ResponseOwners } from './response-owners.ts';
import type { StreamConfig } from './stream.config.ts';
import { StreamedResponse } from './streamed-response.ts';
import { estimateResponse, mayEstimate, mustEstimate } from '../messages/token-estimate.ts';
import { usageInJson } from './usage-in-json.ts';
import { passResponse } from './pass-response.ts';

/** What a relay works with. */
interface HostRelayOptions {
  readonly llm: DistributedLlmClient;
  readonly embedding: DistributedLlmClient;
  readonly timeouts: CallTimeouts;
  readonly streams: StreamConfig;
  readonly forms: FormConfig;
  readonly messages: MessageConfig;
  readonly metrics: ResponseMetrics;
  readonly owners: ResponseOwners;
  /** None: callers have no limits. */
  readonly callers?: CallerLimits | undefined;
  readonly logger: Logger;
}

/** Passes a request on to a host and the host's response back, both byte for byte where both speak the same API. */
export class HostRelay {
  readonly #habits = new LearnedHabits();
  readonly #messages = new MessageReader();

  constructor(private readonly options: HostRelayOptions) {}

  relay(endpoint: Endpoint, incoming: IncomingCall): Promise<void> {
    const { callers } = this.options;
    return callers ? this.#relayWithin(callers, endpoint, incoming) : this.#relay(endpoint, incoming);
  }

  async #relayWithin(callers: CallerLimits, endpoint: Endpoint, incoming: IncomingCall): Promise<void> {
    const tokens = endpoint.usesNoTokens ? undefined : (incoming.outline?.facts.promptTokens ?? 0);
    const permit = await callers.take(callerOf(incoming), tokens, incoming.reply);
    try {
      await this.#relay(endpoint, { ...incoming, permit });
    } catch (error) {
      permit.failed();
      throw error;
    }
  }

  async #relay(endpoint: Endpoint, incoming: IncomingCall): Promise<void> {
    const { llm, embedding, timeouts, owners } = this.options;
    const context = contextOf(incoming.request);
    context.limitTo(timeoutMsOf(endpoint, incoming.outline?.stream ?? false, timeouts));
    context.keepDeadline();
    countHop(incoming.request.headers);
    const call = toOwner(outboundCall(endpoint, incoming), incoming, { llm, owners });
    context.note('attempts', call.request.log);
    if (incoming.permit) incoming.permit.attempts = call.request.log;
    if (endpoint.isEmbedding)
      return this.#passWhole(await this.#send(embedding, call, incoming), call, incoming);
    if (mustTranslate(call, llm)) return void (await this.#translated(call, incoming));
    if (mustEstimate(call, llm)) return this.#estimated(call, incoming);
    await this.#relayAsItIs(call, incoming);
  }

  /** To hosts that speak as the caller does, unless they turn out not to. */
  async #relayAsItIs(call: OutboundCall, incoming: IncomingCall): Promise<void> {
    const { llm } = this.options;
    const response = await this.#ask(call, incoming);
    if (!response) return;
    const retry = response.status >= 400 && (await this.#withoutForeignParts(call, incoming));
    if (retry) {
      response.body.destroy();
      return this.#relayAsItIs(retry, incoming);
    }
    // Learned just now: none of the hosts has Anthropic's API.
    if (isUnknownPath(response) && mustTranslate(call, llm)) {
      response.body.destroy();
      return void (await this.#translated(call, incoming));
    }
    if (response.status >= 400 && (await this.#answeredOtherwise(call, incoming))) response.body.destroy();
    else await this.#passWhole(response, call, incoming);
  }

  /** @returns a response that is to be passed on; none where there is nothing left to do. */
  async #ask(call: OutboundCall, incoming: IncomingCall): Promise<HostResponse | undefined> {
    try {
      if (call.isStream) return await this.#stream(call, incoming);
      return await this.#send(this.options.llm, call, incoming);
    } catch (error) {
      const retry = await this.#withoutForeignParts(call, incoming);
      if (retry) return this.#ask(retry, incoming);
      if (await this.#answeredOtherwise(call, incoming)) return undefined;
      throw error;
    }
  }

  #withoutForeignParts(call: OutboundCall, incoming: IncomingCall): Promise<OutboundCall | undefined> {
    const room = this.#roomFor(call, incoming);
    return callWithoutForeignParts(call, { reader: this.#messages, room });
  }

  /** @returns whether there was another way to an answer than the path on which the hosts have given none. */
  async #answeredOtherwise(call: OutboundCall, incoming: IncomingCall): Promise<boolean> {
    if (!call.request.log.mayGoElsewhere || contextOf(incoming.request).signal.aborted) return false;
    if (!mayEstimate(call, this.options.llm)) return this.#askInChat(call, incoming);
    await this.#estimated(call, incoming);
    return true;
  }

  /**
   * Where no host that knows messages has answered one, those that know chat completions only.
   * @returns whether one of them has. Else what the others said is better to hear.
   */
  async #askInChat(call: OutboundCall, incoming: IncomingCall): Promise<boolean> {
    const only = chatHostsOf(call, this.options.llm);
    const { log } = call.request;
    if (only.length === 0) return false;
    try {
      const request = { ...call.request, only, takesUp: 'restart', earlierAttempts: log.count } as const;
      return await this.#translated({ ...call, request }, incoming);
    } catch (error) {
      if (!(error instanceof AppError) || incoming.reply.raw.headersSent) throw error;
      // Its client sends all of it then, which one of them can answer.
      if (error.code === 'thread_not_found') throw error;
      return false;
    }
  }

  async #estimated({ request }: OutboundCall, incoming: IncomingCall): Promise<void> {
    const { logger } = this.options;
    const response = estimateResponse(await this.#messages.tokens(request.body ?? NOTHING));
    incoming.permit?.refund();
    await passResponse(response, incoming, { logger, seen: () => undefined });
  }

  /** As {@link relay}, for a body that is a form: it goes through as it comes. */
  async relayForm(endpoint: Endpoint, incoming: IncomingCall): Promise<void> {
    const { heldBytes } = this.options.forms;
    const { request } = incoming;
    const { model: deployment } = request.params as { readonly model?: string };
    const mayBeUnknown = deployment !== undefined || this.options.llm.routeOf(undefined).hosts.length === 1;
    const form = await openForm(request, { heldBytes, mayBeUnknown, deployment });
    try {
      await this.relay(endpoint, { ...incoming, form });
    } finally {
      form.upload.close();
    }
  }

  #send(
    client: DistributedLlmClient,
    { request }: OutboundCall,
    incoming: IncomingCall,
  ): Promise<HostResponse> {
    return client.send(request, contextOf(incoming.request));
  }

  /**
   * @param chat the call as it is asked, where the caller speaks another dialect.
   * @param given a stream that a host has answered with, where none was asked for.
   * @returns a response that is no stream.
   */
  #stream(
    call: OutboundCall,
    incoming: IncomingCall,
    { chat, given }: { readonly chat?: ChatCall; readonly given?: HostResponse } = {},
  ): Promise<HostResponse | undefined> {
    const { request, dialect, path } = chat ?? call;
    const { owners } = this.options;
    const caller = callerOf(incoming);
    const onId = (id: string, host: string, isCounted?: boolean) =>
      owners.add(id, { host, caller }, isCounted);
    return new StreamedResponse(
      { ...this.options, config: this.options.streams, reader: this.#messages },
      {
        request,
        dialect,
        callerDialect: call.dialect,
        path,
        message: chat?.message,
        room: this.#roomFor(call, incoming),
        asChat: (body, only) => this.#asChat({ ...call, request: { ...call.request, body, only } }, incoming),
        translator: chat && new MessageEvents(askedMessage(chat.message)),
        onId: dialect.name === 'responses' ? onId : undefined,
        mayCount: dialect.isKept && (() => owners.takeCount(keptIdOf(incoming) ?? '')),
      },
      incoming,
    ).run(given);
  }

  #asChat(call: OutboundCall, incoming: IncomingCall): Promise<ChatCall> {
    const { model } = call.request;
    // Held beside the caller's own until the response is over.
    incoming.request.admittedBody?.charge.growTo(2 * (call.request.body?.length ?? 0));
    const continuation = continuationOf(this.options.llm.routeOf(model), call.request.only);
    return asChatCall(call, { habits: this.#habits.of(model), continuation }, this.#messages);
  }

  /** A response that takes another form is held beside its request, in both. */
  #roomFor({ request: { body } }: OutboundCall, { request }: IncomingCall): ResponseRoom {
    const asked = body?.length ?? 0;
    const grow = (bytes: number) => request.admittedBody?.charge.growTo(2 * (asked + bytes));
    return { limitBytes: this.options.messages.answerLimitBytes, grow };
  }

  /** @returns whether it was answered: what a host refuses that is asked in the place of others is not passed on. */
  async #translated(call: OutboundCall, incoming: IncomingCall, known?: ChatCall): Promise<boolean> {
    const chat = known ?? (await this.#asChat(call, incoming));
    const { log } = chat.request;
    const heard = log.errors.length;
    const response = call.isStream
      ? await this.#stream(call, incoming, { chat })
      : await this.#send(this.options.llm, chat, incoming);
    // Also where another host has answered then: the next call is for the first one, too.
    const learns = () => this.#habits.learn(call.request.model, log.errors.slice(heard));
    if (!response || response.status < 400) while (learns());
    if (!response) return true;
    // A refusal may show several, of which the first may make no difference to this one.
    while (learns()) {
      const other = await this.#asChat(call, incoming);
      if (!chat.request.body?.equals(other.request.body ?? Buffer.alloc(0)))
        return this.#translated(call, incoming, other);
    }
    const other = response.status >= 400 && (await this.#withoutForeignParts(chat, incoming));
    if (other) return this.#translated(call, incoming, { ...other, message: chat.message });
    if (call.request.takesUp && response.status >= 400) {
      response.body.destroy();
      return false;
    }
    const told = await messageResponse(response, {
      dialect: call.dialect,
      message: chat.message,
      reader: this.#messages,
      room: this.#roomFor(call, incoming),
    });
    await this.#passWhole(told, call, incoming);
    return true;
  }

  async #passWhole(response: HostResponse, call: OutboundCall, incoming: IncomingCall): Promise<void> {
    // Speech, images, transcripts, a response that is kept: those can be had as events, too.
    if (response.stream) return void (await this.#stream(call, incoming, { given: response }));
    const { logger, metrics } = this.options;
    noteResponse(contextOf(incoming.request), response, call.request);
    const { permit } = incoming;
    if (response.status >= 400) permit?.refund();
    const seen = (bytes: Buffer) => {
      const owner = { host: response.host, caller: callerOf(incoming) };
      noteUsage(metrics, response, this.#read(bytes, call, owner), incoming);
    };
    await passResponse(response, incoming, { logger, seen });
  }

  #read(bytes: Buffer, { dialect }: OutboundCall, owner: ResponseOwner): TokenUsage | undefined {
    const { owners } = this.options;
    if (dialect.name !== 'responses' && !dialect.isKept) return usageInJson(dialect, bytes);
    const { id = '', usage } = readBody(dialect, bytes) ?? {};
    if (!dialect.isKept) owners.add(id, owner, usage !== undefined);
    return dialect.isKept && !(usage && owners.takeCount(id)) ? undefined : usage;
  }
}
