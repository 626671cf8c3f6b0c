import type { Server } from 'node:http';
import type { Logger } from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';

/** A full server says so once in this time, however many connections it turns away. */
const LOG_EVERY_MS = 60_000;

/** Looking for idle connections takes longer the more there are; a flood must not make it a load of its own. */
const MAKE_ROOM_EVERY_MS = 100;

/** What the limit is made with. */
export interface ConnectionLimitOptions {
  readonly maxConnections: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Limits the open connections of a server. Node closes one above the limit at once; idle ones make room for the next, so
 * that probes get through while somebody holds all of them open. Logged when it is met, counted always.
 */
export function limitConnections(
  server: Server,
  { maxConnections, logger, metrics }: ConnectionLimitOptions,
): void {
  let open = 0;
  let loggedAt = -Infinity;
  let madeRoomAt = -Infinity;
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
    }
    if (now - loggedAt < LOG_EVERY_MS) return;
    loggedAt = now;
    logger.warn({ maxConnections }, 'the connection limit is met: new connections are refused');
  });
}
