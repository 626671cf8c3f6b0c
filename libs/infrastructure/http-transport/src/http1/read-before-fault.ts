import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * A server that does not want an upload answers, and may close the connection with the rest unread, which resets it. The next write fails
 * then, and Node would cut the socket with the response still to be read: a write that fails says so behind what has come.
 */
export function readBeforeFault(socket: Socket): void {
  const { prototype } = Socket;
  socket._write = (chunk: unknown, encoding, done) =>
    prototype._write.call(socket, chunk, encoding, later(done));
  socket._writev = (chunks, done) => prototype._writev?.call(socket, chunks, later(done));
}

function later(done: Done): Done {
  return (error) => {
    if (!error) return done();
    // The first comes before the loop looks at its sockets again, the second behind that.
    setImmediate(() => setImmediate(() => done(error)));
  };
}
