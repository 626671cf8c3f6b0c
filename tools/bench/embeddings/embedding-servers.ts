import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '@morgan/testing';
import { type Child, startChild } from '../child.ts';

const PEER = join(import.meta.dirname, 'peer.ts');
const BARE_CACHE = join(import.meta.dirname, 'bare-cache.ts');
const LEAST_SERVER = join(import.meta.dirname, 'least-server.ts');
const LEAST_CACHE = join(import.meta.dirname, 'least-cache.ts');
const LOGS = join(import.meta.dirname, '../../../.bench/embeddings');

/** embedding-service with its defaults and one log line a call to a file, when it is ready. */
export async function startMorgan(folder: string, env: NodeJS.ProcessEnv = {}): Promise<Child> {
  const settings = { PORT: '0', LOG_FORMAT: 'json', EMBEDDING_MODEL: folder, ...env };
  const child = await startLogging(['dist/apps/embedding-service/main.js'], 'log.ndjson', settings);
  await waitFor(async () => (await fetch(`${child.origin}/readyz`)).ok, { what: 'embedding-service' });
  return child;
}

/** The least that a server can be that is made of the same parts. */
export function startLeastServer(folder: string): Promise<Child> {
  // The tokenizer has threads of its own.
  return startLogging([LEAST_SERVER, folder], 'least.ndjson', { RAYON_NUM_THREADS: '1' });
}

/** The least that answers from Redis. */
export function startLeastCache(redisUrl: string, vectorBytes: number): Promise<Child> {
  return startLogging([LEAST_CACHE, redisUrl, String(vectorBytes)], 'least.ndjson');
}

/** One of the peers behind a plain HTTP handler. */
export function startPeer(name: string, folder: string): Promise<Child> {
  return startChild([PEER, name, folder]);
}

/** Fastify with one answer for every call. */
export function startBareCache(response: string): Promise<Child> {
  return startChild([BARE_CACHE, response]);
}

async function startLogging(args: readonly string[], log: string, env?: NodeJS.ProcessEnv): Promise<Child> {
  await mkdir(LOGS, { recursive: true });
  return startChild(args, env, join(LOGS, log));
}
