import { join } from 'node:path';
import { waitFor } from '@morgan/testing';
import { type Child, startChild } from '../child.ts';

const PEER = join(import.meta.dirname, 'peer.ts');
const BARE_CACHE = join(import.meta.dirname, 'bare-cache.ts');

/** embedding-service with its defaults, when it is ready. */
export async function startMorgan(folder: string, env: NodeJS.ProcessEnv = {}): Promise<Child> {
  const child = await startChild(['dist/apps/embedding-service/main.js'], {
    PORT: '0',
    LOG_FORMAT: 'json',
    EMBEDDING_MODEL: folder,
    ...env,
  });
  await waitFor(async () => (await fetch(`${child.origin}/readyz`)).ok, { what: 'embedding-service' });
  return child;
}

/** One of the peers behind a plain HTTP handler. */
export function startPeer(name: string, folder: string): Promise<Child> {
  return startChild([PEER, name, folder]);
}

/** Fastify with one answer for every call. */
export function startBareCache(response: string): Promise<Child> {
  return startChild([BARE_CACHE, response]);
}
