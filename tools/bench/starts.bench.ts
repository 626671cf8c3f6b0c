import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { atMost, type BenchRow, byTurns, compare, median } from './bench-row.ts';
import { startChild } from './child.ts';
import { residentBytes } from './resident-memory.ts';

const STARTS = 5;
const POLL_MS = 2;
/** From ready to at rest: by then collections that follow a start are over. */
const REST_MS = 5_000;
const MOST_READY_S = 0.7;
const MOST_RESIDENT_MB = 120;

const BARE = 'bare node:http + undici passthrough';
const GATEWAY = 'llm-service';
const SERVICES = [GATEWAY, 'embedding-service'];

interface Start {
  readonly readyS: number;
  readonly residentMb: number;
}

/**
 * From the start of a process to its first answer that it is ready, and its memory at rest, processes that it started
 * included. The services are started as `npm start` and their images do; nothing compiled is kept between two starts.
 */
export async function startsBench(): Promise<BenchRow[]> {
  using host = await startChild(['tools/fake-llm-host/main.ts', '--port', '0']);
  const env = { PORT: '0', LOG_FORMAT: 'json', LLM_HOSTS: `one=${host.origin}/v1` };
  const programs = SERVICES.map((name): [string, () => Promise<Start>] => [
    name,
    () => startOf([`dist/apps/${name}/main.js`], env, '/readyz'),
  ]);
  const bare = () => startOf(['tools/bench/bare-passthrough.mjs', host.origin], {}, '/v1/models');
  const rounds = await byTurns<string, Start>(STARTS, { [BARE]: bare, ...Object.fromEntries(programs) });
  const of = (name: string, figure: keyof Start) => rounds.map((starts) => starts[name]?.[figure] ?? NaN);
  const againstBare = (name: string, what: string, unit: string, figure: keyof Start): BenchRow => {
    const pairs = of(name, figure).map((own, at) => [own, of(BARE, figure)[at] ?? NaN] as const);
    return compare({ name: `${name}: ${what}`, unit, better: 'less', baseline: BARE }, pairs);
  };
  return SERVICES.flatMap((name) => [
    ...(name === GATEWAY
      ? [
          atMost(`${name}: ready after its start`, 's', median(of(name, 'readyS')), MOST_READY_S),
          atMost(`${name}: resident at rest`, 'MB', median(of(name, 'residentMb')), MOST_RESIDENT_MB),
        ]
      : []),
    againstBare(name, 'ready after its start', 's', 'readyS'),
    againstBare(name, 'resident at rest', 'MB', 'residentMb'),
  ]);
}

async function startOf(args: readonly string[], env: NodeJS.ProcessEnv, path: string): Promise<Start> {
  const startedAt = performance.now();
  using child = await startChild(args, env);
  while (!(await answers(child.origin + path))) await delay(POLL_MS);
  const readyS = (performance.now() - startedAt) / 1_000;
  await delay(REST_MS);
  return { readyS, residentMb: (await residentBytes(child.pid)) / 1_000_000 };
}

/** Whether something answers there, and with less than 500: `/readyz` says 503 until the service is ready. */
function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume().once('end', () => resolve((response.statusCode ?? 500) < 500));
    }).once('error', () => resolve(false));
  });
}
