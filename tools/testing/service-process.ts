import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const ROOT = join(import.meta.dirname, '../..');
const EXIT_WITH_PARENT = pathToFileURL(join(ROOT, 'tools/start/exit-with-parent.mjs')).href;

/** Which service to run. Of this process's environment it gets PATH and the place where compiled code is kept. */
export interface LaunchOptions {
  readonly app: 'llm-service' | 'embedding-service';
  readonly env?: Readonly<Record<string, string>>;
  /** The program to run instead of the built service. */
  readonly entry?: string;
}

/** The process of a service, whose output can be read. */
export type ServiceProcess = ChildProcessByStdio<null, Readable, Readable>;

/**
 * Starts a built service on a free port. It dies with this process at the latest.
 * @param preloads modules that are loaded before it, as URLs.
 */
export function launchService(
  { app, env, entry }: LaunchOptions,
  preloads: readonly string[] = [],
): ServiceProcess {
  const program = entry ?? join(ROOT, 'dist/apps', app, 'main.js');
  const imports = [EXIT_WITH_PARENT, ...preloads].flatMap((url) => ['--import', url]);
  return spawn(process.execPath, [...imports, program], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_FORMAT: 'json',
      // As the images have it.
      MALLOC_TRIM_THRESHOLD_: '131072',
      MALLOC_MMAP_THRESHOLD_: '65536',
      MALLOC_TOP_PAD_: '32768',
      MALLOC_ARENA_MAX: '2',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  }) as ServiceProcess;
}
