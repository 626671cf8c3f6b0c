import type { DistributedLlmClient, HostResponse } from '@morgan/distributed-llm';
import { AppError, type Logger } from '@morgan/foundation';
import { type RequestContext, contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';

/** Names who answered: the configured name of the host, or {@link GATEWAY_HOST}. */
export const HOST_HEADER = 'x-morgan-host';

/** The value of {@link HOST_HEADER} on answers that the gateway makes itself: errors, lists, health. */
export const GATEWAY_HOST = 'gateway';

/** What is asked of a host. */
export interface RelayTarget {
  /** Path below the host's base URL. */
  readonly path: '/chat/completions' | '/completions' | '/embeddings';
  readonly model: string | undefined;
}

/** Passes a request on to a host and the host's answer back, both byte for byte. */
export class HostRelay {
  constructor(
    private readonly llm: DistributedLlmClient,
    private readonly embedding: DistributedLlmClient,
    private readonly logger: Logger,
  ) {}

  toLlm(target: RelayTarget, request: HttpRequest, reply: HttpReply): Promise<void> {
    return this.#relay(this.llm, target, request, reply);
  }

  toEmbeddings(target: RelayTarget, request: HttpRequest, reply: HttpReply): Promise<void> {
    return this.#relay(this.embedding, target, request, reply);
  }

  async #relay(
    client: DistributedLlmClient,
    { path, model }: RelayTarget,
    request: HttpRequest,
    reply: HttpReply,
  ): Promise<void> {
    const context = contextOf(request);
    const { headers, rawBody: body } = request;
    const response = await client.send({ method: 'POST', path, headers, body, model }, context);
    context.note('host', response.host);
    if (response.attempts > 1) context.note('attempts', response.attempts);
    // A model that a host knows is safe to log; anything else is whatever a caller typed.
    if (model !== undefined && response.status < 400) context.note('model', model);
    writeHead(reply, response);
    await this.#copyBody(context, reply, response);
  }

  /**
   * Resolves when the client has the whole answer or is gone. Not `stream.pipeline`: that makes an AbortController for
   * every answer and aborts it at the end, which shows in a profile (docs/performance.md).
   */
  #copyBody(context: RequestContext, reply: HttpReply, { host, body }: HostResponse): Promise<void> {
    const client = reply.raw;
    body.once('error', (error) => {
      if (!context.signal.aborted) {
        context.errorCode = error instanceof AppError ? error.code : 'internal_error';
        this.logger.warn({ requestId: context.id, host, cause: error }, 'the answer broke off');
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
    });
  }
}

/** The host's headers as they came, then the gateway's own, which win. */
function writeHead(reply: HttpReply, { host, status, headers, contentType }: HostResponse): void {
  reply.header(HOST_HEADER, host);
  const isStream = contentType?.startsWith('text/event-stream') ?? false;
  if (isStream) reply.header('x-accel-buffering', 'no');
  reply.hijack();
  const own = reply.getHeaders();
  const head: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (!(name.toLowerCase() in own)) head.push(name, headers[index + 1] as string);
  }
  for (const [name, value] of Object.entries(own)) head.push(name, String(value));
  reply.raw.writeHead(status, head);
  // A stream's headers must not wait for its first token; any other answer leaves in one piece.
  if (isStream) reply.raw.flushHeaders();
}
