import { atMost, type BenchRow, byTurns, median } from '../bench-row.ts';
import type { Child } from '../child.ts';
import { WireConnection } from '../gateway/wire-connection.ts';
import { benchTexts } from './bench-texts.ts';
import { type LoadShape, sendAll } from './embedding-load.ts';
import { startMorgan } from './embedding-servers.ts';

const ROUNDS = 5;
const CLIENTS: LoadShape = { clients: 64, textsPerRequest: 1 };
const BATCHES: LoadShape = { clients: 2, textsPerRequest: 256 };
const TEXTS = 2_048;
const PAUSE_MS = 5;
const MOST_LAG_MS = 10;
const MOST_LIVEZ_MS = 50;
/** Node looks every 10 ms, and counts them in. */
const SAMPLE_MS = 10;

/** What the event loop of a service is like all of whose workers are busy, with single texts and with large calls at once. */
export async function loopRows(folder: string): Promise<BenchRow[]> {
  using morgan = await startMorgan(folder);
  const rounds = await byTurns(ROUNDS, { own: () => underLoad(morgan) });
  const longest = Math.max(...rounds.map(({ own }) => own.livezMs));
  const lag = median(rounds.map(({ own }) => own.lagMs));
  return [
    atMost('event loop lag at full load, p99', 'ms', lag, MOST_LAG_MS),
    atMost('/livez while every worker is busy, longest of all', 'ms', longest, MOST_LIVEZ_MS),
  ];
}

let seed = 1_000;

async function underLoad(morgan: Child): Promise<{ readonly lagMs: number; readonly livezMs: number }> {
  seed += 2;
  // Reading it begins it anew.
  await lagMs(morgan);
  const load = Promise.all([
    sendAll(morgan, benchTexts('short', TEXTS, seed), CLIENTS),
    sendAll(morgan, benchTexts('short', TEXTS, seed + 1), BATCHES),
  ]).then(() => true);
  const connection = await WireConnection.to({ origin: morgan.origin, headers: {} });
  const request = Buffer.from(`GET /livez HTTP/1.1\r\nhost: ${new URL(morgan.origin).host}\r\n\r\n`);
  let livezMs = 0;
  while (!(await Promise.race([load, pause()]))) {
    const begunAt = performance.now();
    await connection.send(request);
    livezMs = Math.max(livezMs, performance.now() - begunAt);
  }
  connection.close();
  return { lagMs: await lagMs(morgan), livezMs };
}

async function lagMs({ origin }: Child): Promise<number> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  const seconds = Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(metrics)?.[1]);
  return seconds * 1_000 - SAMPLE_MS;
}

function pause(): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS, false));
}
