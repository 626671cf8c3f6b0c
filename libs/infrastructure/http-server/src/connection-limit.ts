import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';

/** A full server says so once in this time, however many connections it turns away. */
const LOG_EVERY_MS = 60_000;

/** Looking for connections that make room takes longer the more there are; a flood must not make it a load of its own. */
const MAKE_ROOM_EVERY_MS = 100;

/** While the server is full, a connection has this long for the head of its first request. */
const FIRST_HEAD_MS = 1_000;

/** What Node says where a head has come. */
const HEAD_EVENTS = ['request', 'checkContinue', 'checkExpectation'] as const;

/** What the limit is made with. */
export interface ConnectionLimitOptions {
  readonly maxConnections: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Limits the open connections of a server. Node closes one above the limit at once; those that are idle, or have never
 * asked anything, make room for the next, so that probes get through while somebody holds all of them open. Logged when it
 * is met, counted always.
 */
export function limitConnections(
  server: Server,
  { maxConnections, logger, metrics }: ConnectionLimitOptions,
): void {
  let open = 0;
  let loggedAt = -Infinity;
  let madeRoomAt = -Infinity;
  const silent = watchSilent(server);
  metrics.gauge({ name: 'morgan_http_connections', help: 'Open connections of clients.' }, (gauge) => {
    gauge.set(open);
  });
  const refused = metrics.counter({
    name: 'morgan_http_connections_refused_total',
    help: 'Connections closed unanswered because `maxConnections` were open.',
  });
  server.maxConnections = maxConnections;
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => (open -= 1));
  });
  server.on('drop', () => {
    refused.inc();
    const now = performance.now();
    if (now - madeRoomAt >= MAKE_ROOM_EVERY_MS) {
      madeRoomAt = now;
      server.closeIdleConnections();
      silent.close(now - FIRST_HEAD_MS);
    }
    if (now - loggedAt < LOG_EVERY_MS) return;
    loggedAt = now;
    logger.warn({ maxConnections }, 'the connection limit is met: new connections are refused');
  });
}

/** Knows the connections that have not asked anything yet, which Node does not take for idle. */
function watchSilent(server: Server): { close: (openedBefore: number) => void } {
  const openedAt = new Map<Socket, number>();
  server.on('connection', (socket) => {
    openedAt.set(socket, performance.now());
    socket.once('close', () => openedAt.delete(socket));
  });
  for (const event of HEAD_EVENTS) server.on(event, ({ socket }: IncomingMessage) => openedAt.delete(socket));
  return {
    close: (before) => {
      for (const [socket, opened] of openedAt) {
        // In the order in which they came.
        if (opened > before) return;
        socket.destroy();
      }
    },
  };
}
