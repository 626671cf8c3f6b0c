import { existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { installAside } from '../../start/install-aside.ts';
import { freePort, waitFor } from '@morgan/testing';
import type { Target } from './wire-connection.ts';

const FOLDER = join(import.meta.dirname, '../../../.bench/portkey');
const PROGRAM = join(FOLDER, 'node_modules/@portkey-ai/gateway/build/start-server.js');
/** The gateway, and of what it takes in any version the ones that it was released with. */
const PACKAGES = {
  '@portkey-ai/gateway': '1.15.2',
  hono: '4.9.7',
  '@hono/node-server': '1.13.5',
  '@hono/node-ws': '1.2.0',
};

/**
 * Portkey's gateway in a process of its own, in front of an OpenAI-compatible host. It is no dependency of this repository:
 * the first run installs it.
 * @throws CommandFailed where it cannot be installed.
 */
export async function startPortkey(hostOrigin: string): Promise<Target & Disposable> {
  if (!existsSync(PROGRAM)) {
    console.log('installing Portkey (only the first time) ...');
    await installAside(FOLDER, PACKAGES);
  }
  const port = await freePort();
  const child = spawn(process.execPath, [PROGRAM, `--port=${port}`, '--headless'], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
    stdio: 'ignore',
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const origin = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(origin)).ok, { what: 'Portkey' });
  const headers = {
    authorization: 'Bearer bench-key',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${hostOrigin}/v1`,
  };
  return { origin, headers, [Symbol.dispose]: () => void child.kill('SIGKILL') };
}
