import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigError, type Logger } from '@morgan/foundation';
import type { Drain } from './drain.ts';
import type { HttpConfig } from './http-server.config.ts';

/** A service that is built but does not listen yet. */
export interface ServiceParts {
  readonly app: NestFastifyApplication;
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly drain: Drain;
  /** Gets what the service needs: a model, hosts. The port is open meanwhile; a rejection ends the process. */
  readonly start: () => Promise<void>;
  /** Closes what the application stands on, after its last request. */
  readonly close: () => Promise<void>;
}

/**
 * Runs a service until it is told to stop: opens the port, then on SIGTERM or SIGINT takes itself out of rotation, lets
 * what is in flight finish within the grace period, closes everything and exits 0. A fault at start exits 1 with one
 * clear message.
 */
export async function runService(name: string, build: () => Promise<ServiceParts>): Promise<void> {
  let stopping: AbortSignal | undefined;
  try {
    const parts = await build();
    stopping = stopOnSignals(parts);
    await listen(parts);
    await parts.start();
  } catch (error) {
    // What a stop breaks off did not fail.
    if (stopping?.aborted) return;
    process.stderr.write(`${name} cannot start. ${describe(error)}\n`);
    process.exit(1);
  }
}

async function listen({ app, config, logger }: ServiceParts): Promise<void> {
  await app.listen(config.port, config.host);
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  logger.info({ url, pid: process.pid }, 'listening');
}

/** @returns aborted once the service is told to stop. */
function stopOnSignals(parts: ServiceParts): AbortSignal {
  const stopping = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    // A terminal sends Ctrl-C to the whole process group, and a supervisor may pass it on: the second one means nothing.
    if (stopping.signal.aborted) return;
    stopping.abort();
    stopService(parts, signal).then(
      () => process.exit(0),
      (error: unknown) => {
        parts.logger.error({ error }, 'stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return stopping.signal;
}

async function stopService(
  { app, config, logger, drain, close }: ServiceParts,
  signal: NodeJS.Signals,
): Promise<void> {
  logger.info({ signal, inFlight: drain.inFlight, graceMs: config.shutdownGraceMs }, 'stopping');
  const left = await drain.stop(config.shutdownGraceMs);
  if (left > 0) {
    logger.warn({ inFlight: left }, 'the grace period is over: the requests still in flight are cut');
    app.getHttpServer().closeAllConnections();
  }
  await app.close();
  await close();
  logger.info({}, 'stopped');
}

function describe(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (code === 'EADDRINUSE') return `Port ${port} on ${address} is in use; choose another one with PORT.`;
  if (code === 'EACCES' && port) return `Port ${port} needs more privileges; choose another one with PORT.`;
  return error.message;
}
