import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { launchService, type LaunchOptions, type ServiceProcess } from './service-process.ts';

/** How a service ended, and what it wrote. */
interface ServiceEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a built service that ends by itself, or by what is done to its process `meanwhile`. */
export async function endOfService(
  options: LaunchOptions,
  meanwhile: (child: ServiceProcess) => Promise<void> = () => Promise.resolve(),
): Promise<ServiceEnd> {
  return endOf(launchService(options), meanwhile);
}

/** Reports through IPC how many modules were loaded when the handler for SIGTERM came. */
const WATCH_START = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  let loaded = 0;
  registerHooks({ load: (url, context, next) => { loaded += 1; return next(url, context); } });
  process.on('newListener', (name) => name === 'SIGTERM' && process.send(loaded));
`)}`;

/**
 * Sends SIGTERM to a built service as soon as it has a handler for it.
 * @returns also how many modules were loaded by then, its main one included.
 */
export async function endAtStart(options: LaunchOptions): Promise<ServiceEnd & { readonly loaded: number }> {
  let loaded = 0;
  const end = await endOf(launchService(options, [WATCH_START]), async (child) => {
    [loaded] = (await once(child, 'message')) as [number];
    child.kill('SIGTERM');
  });
  return { ...end, loaded };
}

async function endOf(
  child: ServiceProcess,
  meanwhile: (child: ServiceProcess) => Promise<void>,
): Promise<ServiceEnd> {
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
    meanwhile(child),
  ]);
  return { code, stdout, stderr };
}
