import type { Socket } from 'node:net';
import { errors } from 'undici';
import type { Upload } from '../upload.ts';
import type { RequestHead } from './request-head.ts';

/**
 * Sends a request with a body that comes piece by piece: in chunks, unless the caller has said how long it is. The next
 * piece is asked for when the socket has taken the one before. The head leaves with the first piece, or without any.
 * @throws RequestContentLengthMismatchError where it is not so long; and what the source throws.
 */
export async function sendUpload(
  socket: Socket,
  { text, emptyText, contentLength }: RequestHead,
  body: Upload,
): Promise<void> {
  const isChunked = contentLength === undefined;
  const most = contentLength ?? Infinity;
  let sent = 0;
  for await (const piece of body) {
    if (socket.destroyed) return;
    if (piece.length === 0) continue;
    // What is too much would be taken for the next request.
    if (sent + piece.length > most) throw new errors.RequestContentLengthMismatchError();
    socket.cork();
    if (sent === 0) socket.write(text, 'latin1');
    if (isChunked) socket.write(`${piece.length.toString(16)}\r\n`, 'latin1');
    socket.write(piece);
    if (isChunked) socket.write('\r\n', 'latin1');
    socket.uncork();
    sent += piece.length;
    if (socket.writableNeedDrain) await drained(socket);
  }
  if (sent < (contentLength ?? 0)) throw new errors.RequestContentLengthMismatchError();
  if (socket.destroyed) return;
  if (sent === 0) socket.write(emptyText, 'latin1');
  else if (isChunked) socket.write('0\r\n\r\n', 'latin1');
}

/** Resolves as well when there is nothing to wait for any more. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
    if (socket.destroyed) done();
  });
}
