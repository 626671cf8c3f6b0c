import { ConfigError } from '@morgan/foundation';
import { setHeapFlags } from './v8/heap-flags.ts';
import { collectGarbageWhenIdle } from './v8/idle-garbage.ts';
import { warnOfPlatform } from './platform-limits.ts';
import type { ServiceParts } from './service-parts.ts';
import { STOP_MARGIN_MS, stopService } from './stop-service.ts';
import { keepTickShape } from './v8/tick-shape.ts';
import { limitYoungSpace } from './v8/young-space.ts';

/**
 * Runs a service until `stop` aborts: opens the port, then takes itself out of rotation, lets what is in flight finish
 * within the grace period, closes everything and exits 0. A stop that comes while the service is still being built is
 * obeyed when it is, or after a few seconds. A fault at start exits 1 with one clear message.
 * @param stop aborts on SIGTERM and SIGINT, with the name of the signal as its reason.
 */
export async function runService(
  name: string,
  stop: AbortSignal,
  build: () => Promise<ServiceParts>,
): Promise<void> {
  setHeapFlags();
  keepTickShape();
  const endUnbuilt = () => void setTimeout(() => process.exit(1), STOP_MARGIN_MS);
  try {
    if (stop.aborted) process.exit(0);
    stop.addEventListener('abort', endUnbuilt);
    const parts = await build();
    // Node ends the process; this is for those who read the log and not what is printed beside it.
    process.on('uncaughtExceptionMonitor', (error) =>
      parts.logger.error({ error }, 'an error that nobody caught ends the service'),
    );
    // A signal that came meanwhile is handed over when the event loop turns.
    await new Promise(setImmediate);
    stop.removeEventListener('abort', endUnbuilt);
    stop.addEventListener('abort', () => stopService(parts, String(stop.reason)));
    if (stop.aborted) return stopService(parts, String(stop.reason));
    await listen(parts);
    await parts.start();
    limitYoungSpace();
    collectGarbageWhenIdle(parts.drain);
  } catch (error) {
    // What a stop breaks off did not fail.
    if (stop.aborted) return;
    process.stderr.write(`${name} cannot start. ${describe(error)}\n`);
    process.exit(1);
  }
}

async function listen({ app, config, logger }: ServiceParts): Promise<void> {
  warnOfPlatform(config, logger);
  await app.listen(config.port, config.host).catch((error: ListenError) => {
    // Images listen on all addresses of both kinds, and run where the kernel knows those of IPv4 only.
    if (config.host !== ALL_ADDRESSES || error.code !== 'EAFNOSUPPORT') throw error;
    return app.listen(config.port, '0.0.0.0');
  });
  const own = await app.getUrl();
  // Whoever listens on all addresses is met at the usual one, too.
  const url = config.host === ALL_ADDRESSES ? own.replace('[::1]', '127.0.0.1') : own;
  logger.info({ url, pid: process.pid }, 'listening');
}

const ALL_ADDRESSES = '::';

/** Why an address cannot be listened on: this machine does not have it, or nobody knows its name. */
const ADDRESS_FAULTS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL']);

interface ListenError extends NodeJS.ErrnoException {
  readonly port?: number;
  readonly address?: string;
  readonly hostname?: string;
}

function describe(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code = '', port, hostname, address = hostname } = error as ListenError;
  if (code === 'EADDRINUSE') return `Port ${port} on ${address} is in use; choose another one with PORT.`;
  if (code === 'EACCES' && port) return `Port ${port} needs more privileges; choose another one with PORT.`;
  if (ADDRESS_FAULTS.has(code) && address)
    return `This machine has no address ${address} to listen on (${code}); choose another one with HOST.`;
  return error.message;
}
