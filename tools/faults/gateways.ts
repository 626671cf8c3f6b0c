import { setTimeout as delay } from 'node:timers/promises';
import { type RunningService, startService } from '@morgan/testing';
import type { FaultCase, Group } from './fault-case.ts';
import { FaultHost } from './fault-host.ts';

/** A gateway with the hosts of its cases. */
export interface Gateway extends AsyncDisposable {
  readonly origin: string;
  readonly pid: number;
  hostsOf(definition: FaultCase): readonly FaultHost[];
  /** What `/readyz` said that was not 200. */
  readonly unready: readonly string[];
}

/** A model that only a host without trouble serves. */
export const CONTROL = 'control';

const READY_POLL_MS = 250;

/** The default of the breaker. */
const MAX_RESET_MS = 25_000;

const TIMES = {
  firstByteTimeoutMs: 4_000,
  firstTokenTimeoutMs: 1_500,
  answerTimeoutMs: 4_000,
  idleTimeoutMs: 3_000,
  probeIntervalMs: 3_000,
  probeTimeoutMs: 1_000,
};

const UPSTREAM: Readonly<Record<Exclude<Group, 'default'>, object>> = {
  // Many cases share it, so its budget is no limit: the bounds of the cases are.
  short: { ...TIMES, strategy: 'round_robin', budget: { minPerSecond: 100_000 } },
  scaled: {
    ...TIMES,
    strategy: 'round_robin',
    budget: { minPerSecond: 100_000 },
    circuitBreaker: { resetTimeoutMs: 1_000, maxResetTimeoutMs: MAX_RESET_MS / 10 },
  },
};

/** One gateway for all these cases, each with hosts and a route of its own. */
export async function startShared(
  group: Exclude<Group, 'default'>,
  cases: readonly FaultCase[],
): Promise<Gateway> {
  const control = await FaultHost.start(CONTROL);
  const hosts = new Map<FaultCase, readonly FaultHost[]>();
  for (const definition of cases) hosts.set(definition, await hostsFor(definition));
  const service = await startService({
    app: 'llm-service',
    readyWithinMs: 60_000,
    config: {
      llmService: {
        upstream: {
          ...UPSTREAM[group],
          hosts: [control, ...[...hosts.values()].flat()].map(({ name, url }) => ({ name, url })),
          routes: [
            { model: CONTROL, tiers: [[{ host: CONTROL }]] },
            ...cases.map(({ name, tiers }) => ({
              model: name,
              tiers: tiers.map((tier) => tier.map((letter) => ({ host: hostName(name, letter) }))),
            })),
          ],
        },
      },
    },
  });
  return gatewayOf(service, hosts, [control]);
}

/** A gateway of its own, with nothing set but its hosts. */
export async function startAlone(definition: FaultCase): Promise<Gateway> {
  const hosts = await hostsFor(definition);
  const list = hosts.map(({ name, url }) => `${name}=${url}`).join(',');
  const service = await startService({ app: 'llm-service', readyWithinMs: 60_000, env: { LLM_HOSTS: list } });
  return gatewayOf(service, new Map([[definition, hosts]]), []);
}

async function hostsFor({ name, tiers, list }: FaultCase): Promise<readonly FaultHost[]> {
  const hosts = await Promise.all(tiers.flat().map((letter) => FaultHost.start(hostName(name, letter))));
  const [primary] = hosts;
  if (primary && list) primary.list = list;
  return hosts;
}

/** A name has no slash. */
function hostName(name: string, letter: string): string {
  return `${name.replaceAll('/', '.')}-${letter}`;
}

function gatewayOf(
  service: RunningService,
  hosts: ReadonlyMap<FaultCase, readonly FaultHost[]>,
  others: readonly FaultHost[],
): Gateway {
  const unready: string[] = [];
  const end = new AbortController();
  void watchReadiness(service.url, unready, end.signal);
  return {
    origin: service.url,
    pid: service.process.pid ?? 0,
    unready,
    hostsOf: (definition) => hosts.get(definition) ?? [],
    async [Symbol.asyncDispose]() {
      end.abort();
      await service.stop('SIGKILL');
      await Promise.all([...hosts.values(), others].flat().map((host) => host.close()));
    },
  };
}

async function watchReadiness(origin: string, unready: string[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const { status } = await fetch(`${origin}/readyz`, { signal });
      if (status !== 200) unready.push(`/readyz said ${status}`);
    } catch (error) {
      if (!signal.aborted) unready.push(`/readyz did not answer: ${String(error)}`);
    }
    await delay(READY_POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}
