import type { HostResponse } from '@morgan/distributed-llm';
import { AppError, atEndOfTurn, breakTransfer, type Logger } from '@morgan/foundation';
import { contextOf } from '@morgan/http-server';
import { writeHead } from '../exchange/write-head.ts';
import type { IncomingCall } from '../exchange/outbound-call.ts';

/** Who wants to know of a response that passes. */
interface Passing {
  readonly logger: Logger;
  /** Gets a good response that is here in full, or what is known of a long JSON once all of it has come. */
  readonly seen: (bytes: Buffer) => void;
}

/**
 * Passes a response on, byte for byte.
 * @returns for a response that is still to come, what resolves when the client has all of it or is gone.
 */
export function passResponse(
  response: HostResponse,
  { request, reply }: IncomingCall,
  passing: Passing,
): Promise<void> | undefined {
  const client = reply.raw;
  const { whole } = response;
  writeHead(reply, response);
  if (!whole) return copyBody(response, { request, reply }, passing);
  atEndOfTurn(() => {
    client.end(whole);
    if (client.writableLength > 0) request.server.stalledReaders.watch(client, contextOf(request).id);
    // Last: who waits for the answer does not wait for its being counted.
    if (response.status < 400) passing.seen(whole);
  });
  return undefined;
}

/**
 * Not `stream.pipeline`: that makes an AbortController for every response and aborts it at the end, which shows in a
 * profile (docs/performance.md).
 */
function copyBody(
  response: HostResponse,
  { request, reply }: Omit<IncomingCall, 'outline'>,
  { logger, seen }: Passing,
): Promise<void> {
  const { host, body } = response;
  const client = reply.raw;
  const context = contextOf(request);
  const { stalledReaders } = request.server;
  body.once('error', (error) => {
    if (!context.isClientGone) {
      context.errorCode = error instanceof AppError ? error.code : 'internal_error';
      logger.warn({ requestId: context.id, host, cause: error }, 'the answer broke off');
    }
    // The client must see a broken transfer, never a clean end.
    breakTransfer(client);
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
      if (body.outline) seen(body.outline);
      if (client.writableLength > 0) stalledReaders.watch(client, context.id);
    });
  });
}
