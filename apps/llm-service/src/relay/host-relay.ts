import type { DistributedLlmClient, HostResponse } from '@morgan/distributed-llm';
import { AppError, type Logger } from '@morgan/foundation';
import { type RequestContext, contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';
import type { RequestOutline } from '../openai/request-outline.ts';
import { answerHeaders } from './answer-headers.ts';
import type { CallTimeouts } from './call-timeouts.config.ts';

/** Names who answered: the configured name of the host, or {@link GATEWAY_HOST}. */
export const HOST_HEADER = 'x-morgan-host';

/** The value of {@link HOST_HEADER} on answers that the gateway makes itself: errors, lists, health. */
export const GATEWAY_HOST = 'gateway';

/** What is asked of a host. */
export interface RelayTarget {
  /** Path below the host's base URL. */
  readonly path: '/chat/completions' | '/completions' | '/embeddings';
  readonly outline: RequestOutline;
}

/** What a relay works with. */
export interface HostRelayOptions {
  readonly llm: DistributedLlmClient;
  readonly embedding: DistributedLlmClient;
  readonly timeouts: CallTimeouts;
  readonly logger: Logger;
}

/** Passes a request on to a host and the host's answer back, both byte for byte. */
export class HostRelay {
  constructor(private readonly options: HostRelayOptions) {}

  toLlm(target: RelayTarget, request: HttpRequest, reply: HttpReply): Promise<void> {
    return this.#relay(this.options.llm, target, request, reply);
  }

  toEmbeddings(target: RelayTarget, request: HttpRequest, reply: HttpReply): Promise<void> {
    return this.#relay(this.options.embedding, target, request, reply);
  }

  async #relay(
    client: DistributedLlmClient,
    target: RelayTarget,
    request: HttpRequest,
    reply: HttpReply,
  ): Promise<void> {
    const { path, outline } = target;
    const { model } = outline;
    const context = contextOf(request);
    context.limitTo(this.#timeoutMs(target));
    const headers = headersOfDecoded(request);
    const response = await client.send(
      { method: 'POST', path, headers, body: outline.bytes, model },
      context,
    );
    context.note('host', response.host);
    if (response.attempts > 1) context.note('attempts', response.attempts);
    // A model that a host knows is safe to log; anything else is whatever a caller typed.
    if (model !== undefined && response.status < 400) context.note('model', model);
    writeHead(reply, response);
    await this.#copyBody(context, request, reply, response);
  }

  #timeoutMs({ path, outline }: RelayTarget): number {
    const { chatMs, chatStreamMs, embeddingsMs, otherMs } = this.options.timeouts;
    if (path === '/embeddings') return embeddingsMs;
    if (path !== '/chat/completions') return otherMs;
    return outline.stream ? chatStreamMs : chatMs;
  }

  /**
   * Resolves when the client has the whole answer or is gone. Not `stream.pipeline`: that makes an AbortController for
   * every answer and aborts it at the end, which shows in a profile (docs/performance.md).
   */
  #copyBody(
    context: RequestContext,
    request: HttpRequest,
    reply: HttpReply,
    { host, body }: HostResponse,
  ): Promise<void> {
    const client = reply.raw;
    const { stalledReaders } = request.server;
    body.once('error', (error) => {
      if (!context.signal.aborted) {
        context.errorCode = error instanceof AppError ? error.code : 'internal_error';
        this.options.logger.warn({ requestId: context.id, host, cause: error }, 'the answer broke off');
      }
      // The client must see a broken transfer, never a clean end.
      client.destroy();
    });
    return new Promise((resolve) => {
      client.once('close', () => {
        if (!body.readableEnded) body.destroy();
        resolve();
      });
      body.pipe(client);
      // The pipe pauses the body when the client is slower than the host.
      body.on('pause', () => stalledReaders.watch(client, context.id));
      client.on('drain', () => stalledReaders.unwatch(client));
      body.once('end', () => {
        if (client.writableLength > 0) stalledReaders.watch(client, context.id);
      });
    });
  }
}

/** A compressed body goes on as it was decoded. */
function headersOfDecoded({ headers }: HttpRequest): HttpRequest['headers'] {
  if (headers['content-encoding'] === undefined) return headers;
  return { ...headers, 'content-encoding': undefined, 'content-length': undefined };
}

function writeHead(reply: HttpReply, { host, status, headers, contentType }: HostResponse): void {
  reply.header(HOST_HEADER, host);
  const isStream = contentType?.startsWith('text/event-stream') ?? false;
  if (isStream) reply.header('x-accel-buffering', 'no');
  reply.hijack();
  const own = new Map(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
  reply.raw.writeHead(status, answerHeaders({ status, received: headers, own }));
  // A stream's headers must not wait for its first token; any other answer leaves in one piece.
  if (isStream) reply.raw.flushHeaders();
}
