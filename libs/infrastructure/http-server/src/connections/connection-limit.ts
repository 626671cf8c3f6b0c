import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';

/** A full server says so once in this time, however many connections it turns away. */
const LOG_EVERY_MS = 60_000;

/** Looking for connections that make room takes longer the more there are; a flood must not make it a load of its own. */
const MAKE_ROOM_EVERY_MS = 100;

/** While the server is full, a connection on which no response is under way has this long for the head of its next request. */
const NEXT_HEAD_MS = 1_000;

/** What the limit is made with. */
interface ConnectionLimitOptions {
  readonly maxConnections: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** When the last response to a connection was over; none before the first, Infinity while one is under way. */
  readonly quietSince: (socket: Socket) => number | undefined;
}

/**
 * Limits the open connections of a server. Node closes one above the limit at once; those to which nothing is being answered make
 * room for the next, so that probes get through while somebody holds all of them open: idle ones, those that have never asked
 * anything, and those that sent half of a head, or not the body of a request that was refused without it. Logged when it is met,
 * counted always.
 */
export function limitConnections(
  server: Server,
  { maxConnections, logger, metrics, quietSince }: ConnectionLimitOptions,
): void {
  const openedAt = new Map<Socket, number>();
  let loggedAt = -Infinity;
  let madeRoomAt = -Infinity;
  metrics.gauge({ name: 'morgan_http_connections', help: 'Open connections of clients.' }, (gauge) => {
    gauge.set(openedAt.size);
  });
  const refused = metrics.counter({
    name: 'morgan_http_connections_refused_total',
    help: 'Connections closed unanswered because `maxConnections` were open.',
  });
  server.maxConnections = maxConnections;
  server.on('connection', (socket) => {
    openedAt.set(socket, performance.now());
    socket.once('close', () => openedAt.delete(socket));
  });
  server.on('drop', () => {
    refused.inc();
    const now = performance.now();
    if (now - madeRoomAt >= MAKE_ROOM_EVERY_MS) {
      madeRoomAt = now;
      server.closeIdleConnections();
      for (const [socket, opened] of openedAt)
        if ((quietSince(socket) ?? opened) < now - NEXT_HEAD_MS) socket.destroy();
    }
    if (now - loggedAt < LOG_EVERY_MS) return;
    loggedAt = now;
    logger.warn({ maxConnections }, 'the connection limit is met: new connections are refused');
  });
}
