import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from '../child.ts';
import type { Target } from './wire-connection.ts';

/** A program that calls are sent to. */
export interface Gateway extends Target, Disposable {
  readonly pid: number;
}

const FOLDER = join(import.meta.dirname, '../../../.bench/gateway');
/** Not beside the configuration, whose folder is watched. */
const LOGS = join(FOLDER, 'logs');
const KEY = 'bench-key';
/** Limits that are counted and never reached. */
const LIMITS = { rateLimit: { requestsPerSecond: 1_000_000 }, concurrency: { maxConcurrent: 4_096 } };

/** The host that all of them stand in front of. */
export async function startHost(): Promise<Gateway> {
  return toGateway(await startChild([join(import.meta.dirname, 'bench-host.ts')]));
}

/** The least that a gateway in Node can be. */
export async function startBare(host: Target): Promise<Gateway> {
  return toGateway(await startChild(['tools/bench/bare-passthrough.mjs', host.origin]));
}

/** The least that one can be that is made of the same parts as llm-service. */
export async function startLeast(host: Target): Promise<Gateway> {
  await mkdir(LOGS, { recursive: true });
  const program = join(import.meta.dirname, 'least-gateway.mjs');
  const child = await startChild([program, host.origin, KEY], {}, join(LOGS, 'least.ndjson'));
  return toGateway(child, { authorization: `Bearer ${KEY}` });
}

/** llm-service with everything on: keys, limits of the host, breaker, evidence, metrics, and one log line a call to a file. */
export async function startMorgan(host: Target): Promise<Gateway> {
  await mkdir(LOGS, { recursive: true });
  const config = join(FOLDER, 'morgan.yaml');
  const hosts = [{ name: 'one', url: `${host.origin}/v1`, ...LIMITS }];
  await writeFile(config, JSON.stringify({ llmService: { upstream: { hosts } } }));
  const env = { MORGAN_CONFIG: config, API_KEYS: KEY, PORT: '0', LOG_FORMAT: 'json' };
  const child = await startChild(['dist/apps/llm-service/main.js'], env, join(LOGS, 'log.ndjson'));
  return toGateway(child, { authorization: `Bearer ${KEY}` });
}

function toGateway(child: Child, headers: Target['headers'] = {}): Gateway {
  return { origin: child.origin, pid: child.pid, headers, [Symbol.dispose]: () => child[Symbol.dispose]() };
}
