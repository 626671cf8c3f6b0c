import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { hasBody } from '../admission/body-admission.hook.ts';

/** The rest of a body up to this size is read away and the connection kept: that is cheaper than a new one. */
const SMALL_BODY_BYTES = 64 * 1024;

/**
 * Time in which a client must have noticed that its upload was answered. Closing at once would reset the connection, and
 * a client that is still writing would see the reset in place of the response.
 */
const GRACE_MS = 2_000;

/**
 * Closes the connection where a request is answered before its long body has come, as refusals are. The response says
 * `connection: close`, then at most `maxBytes` of the body are read away until the client ends the connection, or the
 * grace is over. So does a response that closes the connection in the midst of a short body.
 */
export function closeAfterUnreadBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): void {
  if (!hasBody(request.headers)) return;
  if (mayGoOn(request)) {
    const { shouldKeepAlive } = response;
    response.shouldKeepAlive = false;
    request.once('end', () => {
      response.shouldKeepAlive = shouldKeepAlive;
    });
  }
  // Before Node's own listener, which would read the rest away however long it is.
  response.prependOnceListener('finish', () => {
    if (!request.complete && !response.shouldKeepAlive) discardRest(request, maxBytes);
  });
}

/** Ends our side of a connection, and destroys it when the grace is over and the client has not ended its own side. */
export function endWithGrace(socket: Socket): void {
  socket.end();
  const grace = setTimeout(() => socket.destroy(), GRACE_MS);
  socket.once('close', () => clearTimeout(grace));
}

/** A caller that asks for `100-continue` and gets a response instead may send its body or not: nobody can tell. */
function mayGoOn({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined || headers.expect !== undefined) return true;
  return Number(headers['content-length'] ?? 0) > SMALL_BODY_BYTES;
}

function discardRest(request: IncomingMessage, maxBytes: number): void {
  const { socket } = request;
  const limit = socket.bytesRead + maxBytes;
  request.on('error', () => undefined);
  request.on('data', () => {
    if (socket.bytesRead > limit) request.pause();
  });
  request.once('end', () => socket.destroy());
  // Marks the body as being read, or Node would do so itself without a limit.
  request.resume();
  request.read(0);
  // What Node calls after the last response; the original would reset a client that is still writing.
  socket.destroySoon = () => endWithGrace(socket);
}
