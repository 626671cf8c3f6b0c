import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';

/** Answers one request; what it returns is ignored. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Where a server listens: on a free port of this machine, unless told otherwise. */
interface Address {
  readonly host?: string;
  readonly port?: number;
}

/** Lets a server of any kind listen, or what answers over plain HTTP. */
export async function listen(server: Server | Handler, address: Address = {}): Promise<LocalServer> {
  const local = new LocalServer(server);
  await local.listen(address);
  return local;
}

/** A server and its connections. Closing it cuts them all. */
export class LocalServer implements AsyncDisposable {
  /** The connections that are open. */
  readonly sockets = new Set<Socket>();
  /** How many connections there have been. */
  accepted = 0;
  readonly server: Server;

  constructor(server: Server | Handler) {
    this.server = typeof server === 'function' ? createServer((...call) => void server(...call)) : server;
    this.server.on('connection', (socket: Socket) => {
      this.accepted += 1;
      this.sockets.add(socket);
      // That the other side cuts a connection is no fault of the server.
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    });
  }

  /** @returns its port. */
  async listen({ host = '127.0.0.1', port = 0 }: Address = {}): Promise<number> {
    await once(this.server.listen(port, host), 'listening');
    return this.port;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Where it is over plain HTTP, such as `http://127.0.0.1:43210`. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
