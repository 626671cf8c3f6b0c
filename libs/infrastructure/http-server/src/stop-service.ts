import { MAX_TIMER_MS } from '@morgan/foundation';
import type { ServiceParts } from './service-parts.ts';

/** What a stop may take beyond its grace period: closing what is left. The manifests leave twice as much. */
export const STOP_MARGIN_MS = 5_000;

/** A connection that is not idle when the port closes has this long. */
const LAST_CONNECTIONS_MS = 1_000;

/**
 * Stops a service and exits: 0 when everything is closed, 1 when that fails or is not done within the grace period and
 * `STOP_MARGIN_MS`, whatever is under way.
 */
export function stopService(parts: ServiceParts, signal: string): void {
  const { config, logger } = parts;
  const boundMs = Math.max(config.shutdownGraceMs, config.minDrainMs) + STOP_MARGIN_MS;
  setTimeout(
    () => {
      logger.error({ boundMs }, 'the stop takes too long: the process ends with parts of it still open');
      process.exit(1);
    },
    Math.min(boundMs, MAX_TIMER_MS),
  );
  closeEverything(parts, signal).then(
    () => process.exit(0),
    (error: unknown) => {
      logger.error({ error }, 'stop failed');
      process.exit(1);
    },
  );
}

async function closeEverything(
  { app, config, logger, drain, close }: ServiceParts,
  signal: string,
): Promise<void> {
  const { shutdownGraceMs: graceMs, minDrainMs: minMs } = config;
  logger.info({ signal, inFlight: drain.inFlight, graceMs, minDrainMs: minMs }, 'stopping');
  const left = await drain.stop({ minMs, graceMs });
  const server = app.getHttpServer();
  if (left > 0) {
    logger.warn({ inFlight: left }, 'the grace period is over: the requests still in flight are cut');
    drain.cut();
    server.closeAllConnections();
    // Each of them has its line in the log before the process ends.
    await drain.stop({ minMs: 0, graceMs: LAST_CONNECTIONS_MS });
  }
  const lastConnections = setTimeout(() => server.closeAllConnections(), LAST_CONNECTIONS_MS);
  await app.close();
  clearTimeout(lastConnections);
  await close();
  logger.info({}, 'stopped');
}
