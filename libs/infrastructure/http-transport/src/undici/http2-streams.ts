import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Client } from 'undici';
import { kHTTP2Session } from './undici-internals.ts';

/** Repairs what undici makes of HTTP/2 streams that do not end as they should. To be called when a connection is made. */
export function repairHttp2Streams(client: Client, socket: Socket): void {
  const session = (client as unknown as Record<symbol, ClientHttp2Session | null>)[kHTTP2Session];
  if (!session) return;
  // A session that has ended waits for the server to end the connection as well, which it may never do.
  socket.once('finish', () => socket.destroy());
  const request = session.request.bind(session);
  session.request = (headers, options) => {
    const abort = new AbortController();
    const stream = request(headers, { ...options, signal: abort.signal });
    resetOnAbort(stream, abort);
    breakWhereCut(stream);
    return stream;
  };
}

/**
 * undici aborts with `close()`, which Node holds back while a request body is still on its way, and then `destroy()`,
 * which makes Node forget the stream: no RST_STREAM is sent, and Node 24 goes on to write empty frames for it without
 * end, which hangs the process. The stream's own signal does it in one step.
 */
function resetOnAbort(stream: ClientHttp2Stream, abort: AbortController): void {
  const close = stream.close.bind(stream);
  // Only an abort comes without a code.
  stream.close = (code, callback) => (code === undefined ? abort.abort() : close(code, callback));
}

/**
 * Where the connection ends within a response, or its stream is reset without an error, Node ends the stream as if it
 * were whole, and undici believes it. A server that says END_STREAM does so before the stream is closed.
 */
function breakWhereCut(stream: ClientHttp2Stream): void {
  const push = stream.push.bind(stream);
  stream.push = (chunk, encoding) => {
    if (chunk !== null || !stream.closed) return push(chunk, encoding);
    // Later: whoever pushes may still be at work with the stream.
    process.nextTick(() => stream.destroy(new Error('the stream was closed before its end')));
    return false;
  };
}
