import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RUN_SOURCES, type RunningService, seededRandom, startService } from '@morgan/testing';
import { type Child, startChild } from '../bench/child.ts';
import { UsageError } from '../command-line/run-tool.ts';
import { type Held, INSPECTABLE, InspectedProcess } from './inspected-process.ts';
import { SoakCaller } from './soak-caller.ts';
import { growthOf, inMb } from './steadiness.ts';

const HOST = new URL('soak-host.ts', import.meta.url).pathname;
const HOSTS = ['one', 'two', 'three'];
const CONCURRENCY = 64;
const WINDOWS = 12;
/** Streams whose caller goes away. */
const LEAVE_SHARE = 0.02;
/** How long kept connections and the like may take to go, once nobody needs them. */
const SETTLE_MS = 30_000;

interface Plan {
  readonly requests: number;
  readonly streams: number;
  readonly faults: number;
  readonly seed: number;
}

/**
 * `npm run soak -- gateway [--requests N --streams N --faults 0.05 --seed N]`: llm-service in front of hosts that fail.
 * @returns what does not hold: what was lost, hung or is left over.
 */
export async function gatewaySoak(args: readonly string[]): Promise<string[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      requests: { type: 'string', default: '200000' },
      streams: { type: 'string', default: '20000' },
      faults: { type: 'string', default: '0.05' },
      seed: { type: 'string', default: '9' },
    },
  });
  const [requests, streams, faults, seed] = [values.requests, values.streams, values.faults, values.seed].map(
    Number,
  );
  if (![requests, streams, faults, seed].every((value) => value !== undefined && value >= 0))
    throw new UsageError('every option is a number of at least 0');
  const plan = { requests, streams, faults, seed } as Plan;
  const hosts = await Promise.all(
    HOSTS.map((_, at) => startChild([...RUN_SOURCES, HOST, String(plan.seed + at), String(plan.faults)])),
  );
  const gateway = await startService({
    app: 'llm-service',
    env: {
      LLM_HOSTS: hosts.map(({ origin }, at) => `${HOSTS[at]}=${origin}/v1`).join(','),
      LLM_STRATEGY: 'round_robin',
      STREAM_STALL_TIMEOUT_MS: '1000',
      ...INSPECTABLE,
    },
  });
  const misses = await soak(plan, gateway, hosts);
  await gateway.stop();
  return misses;
}

/** @returns what does not hold. */
async function soak(plan: Plan, gateway: RunningService, hosts: readonly Child[]): Promise<string[]> {
  const inspected = await InspectedProcess.of(gateway);
  const before = await inspected.held();
  const caller = new SoakCaller(gateway.url, CONCURRENCY);
  const heaps: number[] = [];
  const startedAt = performance.now();
  for (let window = 0; window < WINDOWS; window += 1) {
    await runWindow(plan, caller, window);
    const { heapBytes } = await inspected.held();
    heaps.push(heapBytes);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    console.log(
      `${window + 1} of ${WINDOWS}, ${seconds} s, heap ${inMb(heapBytes)}, ${JSON.stringify(caller.endings)}`,
    );
  }
  const counted = await differences(gateway, hosts, plan);
  caller.close();
  for (const host of hosts) host[Symbol.dispose]();
  const left = await leftover(inspected, before);
  inspected.close();
  const { hung, wrong } = caller.endings;
  // The first window fills caches and pools.
  const growth = growthOf(heaps.slice(1));
  const warnings = gateway.logs.filter(
    ({ text }) => /Warning/.test(String(text)) && !/inspect/i.test(String(text)),
  );
  return [
    ...(hung > 0 ? [`${hung} calls were never answered`] : []),
    ...(wrong > 0 ? [`${wrong} answers were wrong, such as: ${caller.wrong.join('\n---\n')}`] : []),
    ...(growth === undefined ? [] : [growth]),
    ...counted,
    ...left,
    ...warnings.map(({ text }) => String(text)),
  ];
}

async function runWindow(
  { requests, streams, seed }: Plan,
  caller: SoakCaller,
  window: number,
): Promise<void> {
  const random = seededRandom(seed + window);
  const share = (count: number) =>
    Math.ceil(((window + 1) * count) / WINDOWS) - Math.ceil((window * count) / WINDOWS);
  let [wholeLeft, streamsLeft] = [share(requests), share(streams)];
  const work = async () => {
    while (wholeLeft + streamsLeft > 0) {
      const isStream = random() * (wholeLeft + streamsLeft) < streamsLeft;
      if (isStream) streamsLeft -= 1;
      else wholeLeft -= 1;
      await caller.call(isStream, isStream && random() < LEAVE_SHARE);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

/** What callers did, the gateway counted and hosts saw has to be the same; `limited` attempts never left the gateway. */
async function differences(gateway: RunningService, hosts: readonly Child[], plan: Plan): Promise<string[]> {
  // Who leaves is counted when the connection has closed.
  await delay(2_000);
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const sum = (pattern: RegExp) =>
    (text.match(pattern) ?? []).reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
  const found: string[] = [];
  const compare = (what: string, gatewaySays: number, isSo: number) => {
    if (gatewaySays !== isSo) found.push(`${what}: the gateway counts ${gatewaySays}, it was ${isSo}`);
  };
  compare('calls', sum(/^morgan_http_requests_total\{.*completions.*$/gm), plan.requests + plan.streams);
  compare('calls in flight', sum(/^morgan_llm_host_in_flight\{.*$/gm), 0);
  compare('bytes of bodies held', sum(/^morgan_http_body_bytes .*$/gm), 0);
  for (const [at, { origin }] of hosts.entries()) {
    const seen = (await (await fetch(`${origin}/seen`)).json()) as Record<string, number>;
    console.log(`${HOSTS[at]}: ${JSON.stringify(seen)}`);
    const asked = Object.values(seen).reduce((total, count) => total + count, 0);
    compare(
      `attempts at ${HOSTS[at]}`,
      sum(new RegExp(`^morgan_llm_host_requests_total\\{host="${HOSTS[at]}"(?!.*"limited").*$`, 'gm')),
      asked,
    );
  }
  return found;
}

/** What is there once everybody has gone, and was not before anybody came. */
async function leftover(inspected: InspectedProcess, before: Held): Promise<string[]> {
  const endsAt = performance.now() + SETTLE_MS;
  for (;;) {
    const now = await inspected.held();
    const more = Object.entries(now.resources)
      .filter(([kind, count]) => count > (before.resources[kind] ?? 0))
      .map(([kind, count]) => `${count} of ${kind} where there were ${before.resources[kind] ?? 0}`);
    if (now.listeners > before.listeners)
      more.push(`${now.listeners} listeners of process, not ${before.listeners}`);
    if (more.length === 0 || performance.now() > endsAt) return more;
    await delay(1_000);
  }
}
