import { type Env, settingReader } from './setting-reader.ts';
import type { PortWish } from './claim-port.ts';

/** One process to start: where it will listen and what it gets beyond the environment of the launcher. */
export interface ServicePlan {
  /** Where a process on this machine reaches it. */
  readonly origin: string;
  readonly env: Env;
}

/** What `npm start` starts. */
export interface LaunchPlan {
  readonly llm: ServicePlan;
  readonly embedding: ServicePlan;
  /** Only while no LLM host is configured. */
  readonly simulated: ServicePlan | undefined;
  readonly needsBundledModel: boolean;
  /** Set when callers must send one; never printed. */
  readonly apiKey: string | undefined;
}

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORTS = { llm: 8080, embedding: 8081 };

// Slow enough to see a stream, fast enough not to wait for it.
const SIMULATED_PACE = { SIMULATED_TTFT_MS: '150', SIMULATED_TOKENS_PER_SECOND: '40' };

/**
 * Decides from the environment and the configuration file what to start, and how the processes find each other. Checks
 * no more than it needs: everything else is passed on, so that the services print every fault.
 * @throws Error with one sentence when a port is no port or is in use.
 */
export async function planLaunch(env: Env, claim: (wish: PortWish) => Promise<number>): Promise<LaunchPlan> {
  const read = settingReader(env);
  const place = async (section: string, variable: string, fallback: number) => {
    const host = read('HOST', `${section}.http.host`) ?? DEFAULT_HOST;
    const port = toPort(read(variable, `${section}.http.port`) ?? String(fallback), variable);
    return { host, port: await claim({ host, port, variable }) };
  };
  const llm = await place('llmService', 'PORT', DEFAULT_PORTS.llm);
  const embedding = await place(
    'embeddingService',
    'EMBEDDING_PORT',
    Number(env['PORT'] || NaN) > 0 ? llm.port + 1 : env['PORT'] ? 0 : DEFAULT_PORTS.embedding,
  );
  const simulated = read('LLM_HOSTS', 'llmService.upstream.hosts')
    ? undefined
    : await planSimulated(env, claim);
  const apiKey = read('API_KEYS', 'auth.apiKeys')?.split(',')[0]?.trim();
  const wiring = {
    EMBEDDING_URL: read('EMBEDDING_URL', 'llmService.embedding.url') ?? `${originOf(embedding)}/v1`,
    EMBEDDING_API_KEY: read('EMBEDDING_API_KEY', 'llmService.embedding.apiKey') ?? apiKey,
    // It is embedding-service's too, and here refused where there is no admin API.
    ...(read('ADMIN_PORT', 'llmService.admin.port') ? {} : { ADMIN_API_KEY: undefined }),
    ...(simulated ? { LLM_HOSTS: hostEntry(simulated.origin, env['SIMULATED_API_KEY']) } : {}),
  };
  return {
    llm: { origin: originOf(llm), env: { HOST: llm.host, PORT: String(llm.port), ...wiring } },
    embedding: { origin: originOf(embedding), env: { HOST: embedding.host, PORT: String(embedding.port) } },
    simulated,
    needsBundledModel: (read('EMBEDDING_MODEL', 'embeddingService.model.model') ?? 'bundled') === 'bundled',
    apiKey,
  };
}

async function planSimulated(env: Env, claim: (wish: PortWish) => Promise<number>): Promise<ServicePlan> {
  const variable = 'SIMULATED_PORT';
  const port = toPort(env[variable] || '0', variable);
  const place = { host: DEFAULT_HOST, port: await claim({ host: DEFAULT_HOST, port, variable }) };
  return {
    origin: originOf(place),
    env: { ...SIMULATED_PACE, ...env, SIMULATED_HOST: place.host, SIMULATED_PORT: String(place.port) },
  };
}

function hostEntry(origin: string, apiKey: string | undefined): string {
  return `simulated=${origin}/v1${apiKey ? `;apiKey=${apiKey}` : ''}`;
}

/** Not every address to listen on is one to call. */
function originOf({ host, port }: { host: string; port: number }): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

function toPort(value: string, variable: string): number {
  const port = Number(value);
  if (/^\d+$/.test(value) && port <= 65_535) return port;
  throw new Error(`"${value}" is not a port; set ${variable} to a number from 0 to 65535.`);
}
