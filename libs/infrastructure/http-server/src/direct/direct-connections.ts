import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { PlainRoutes } from '../routes/plain-routes.ts';
import { DirectConnection } from './direct-connection.ts';
import type { DirectReading } from './direct-request.ts';
import type { DirectResponse } from './direct-response.ts';

/** A client that goes by the time it was told may send until its end, and what it sends takes a while. Node waits as long. */
const GRACE_MS = 1_000;

/** What connections that Node's parser has not seen are kept with. */
interface DirectConnectionsOptions {
  readonly plainRoutes: () => PlainRoutes | undefined;
  readonly keepAliveTimeoutMs: number;
  /** A new connection has this long for its first request. */
  readonly firstHeadMs: number;
  /** How often connections are looked at that take too long. */
  readonly checkMs: number;
  /** Refuses a connection without a request. */
  readonly refuseLate: (socket: Socket) => void;
}

/**
 * The connections of a server on which nothing has come yet but requests of plain routes that are as nearly all are. They
 * are read and answered without Node's parser and its messages, which cost two fifths of what its server does
 * (docs/performance.md); from the first request of another kind on a connection is Node's.
 */
export class DirectConnections {
  readonly #connections = new Map<Socket, DirectConnection>();
  readonly #options: DirectConnectionsOptions;
  readonly #server: Server;
  readonly #node: (socket: Socket) => void;
  readonly #keepAlive: string;

  /** @param server has nobody yet who listens for connections but Node itself. */
  constructor(server: Server, options: DirectConnectionsOptions) {
    this.#server = server;
    this.#options = options;
    const { keepAliveTimeoutMs, checkMs } = options;
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveTimeoutMs / 1000)}\r\n`;
    const [node] = server.listeners('connection') as ((socket: Socket) => void)[];
    if (!node) throw new Error('The server has no listener of its own for connections.');
    this.#node = node;
    server.removeListener('connection', node);
    server.on('connection', (socket: Socket) => this.#take(socket));
    const check = setInterval(() => this.#closeLate(), checkMs).unref();
    server.once('close', () => clearInterval(check));
    const closeIdle = server.closeIdleConnections.bind(server);
    const closeAll = server.closeAllConnections.bind(server);
    server.closeIdleConnections = () => {
      closeIdle();
      for (const { socket, isIdle } of this.#connections.values()) if (isIdle) socket.destroy();
    };
    server.closeAllConnections = () => {
      closeAll();
      for (const socket of this.#connections.keys()) socket.destroy();
    };
  }

  /** As {@link DirectConnection.quietSince}. */
  quietSince(socket: Socket): number | undefined {
    return this.#connections.get(socket)?.quietSince;
  }

  #take(socket: Socket): void {
    const connection = new DirectConnection(socket, {
      keepAlive: this.#keepAlive,
      find: (reading) => this.#find(reading),
      handOver: (received) => this.#handOver(socket, received),
      closed: () => this.#connections.delete(socket),
    });
    this.#connections.set(socket, connection);
  }

  #find({ request }: DirectReading): ((response: DirectResponse, body: Buffer) => void) | undefined {
    const routes = this.#options.plainRoutes();
    const found = routes?.find(request.method, request.url);
    return routes && found && ((response, body) => routes.serve(found, { request, response, body }));
  }

  #handOver(socket: Socket, received: readonly Buffer[]): void {
    this.#connections.delete(socket);
    this.#node.call(this.#server, socket);
    for (const piece of received) socket.emit('data', piece);
    socket.resume();
  }

  #closeLate(): void {
    const now = performance.now();
    const { keepAliveTimeoutMs, firstHeadMs } = this.#options;
    for (const { socket, quietSince, openedAt } of this.#connections.values()) {
      if (quietSince === undefined) {
        if (now - openedAt > firstHeadMs) this.#options.refuseLate(socket);
      } else if (now - quietSince > keepAliveTimeoutMs + GRACE_MS) socket.destroy();
    }
  }
}
