import { type RunningService, startService } from '@morgan/testing';
import type { Group } from './case-description.ts';
import type { FaultCase } from './fault-case.ts';
import { FaultHost } from './fault-host.ts';
import { GatewayWatch } from './gateway-watch.ts';

/** A gateway with the hosts of its cases. */
export interface Gateway extends AsyncDisposable {
  readonly origin: string;
  readonly pid: number;
  hostsOf(definition: FaultCase): readonly FaultHost[];
  readonly watch: GatewayWatch;
}

/** A model that only a host without trouble serves. */
export const CONTROL = 'control';

/** A busy machine takes its time to start a service. */
const READY_MS = 240_000;

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

// Many cases share it, so its budget is no limit: the bounds of the cases are.
const SHARED = { ...TIMES, strategy: 'round_robin', budget: { minPerSecond: 100_000 } };

const UPSTREAM: Readonly<Record<Exclude<Group, 'default'>, object>> = {
  short: SHARED,
  streams: SHARED,
  scaled: {
    ...SHARED,
    circuitBreaker: { resetTimeoutMs: 1_000, maxResetTimeoutMs: MAX_RESET_MS / 10 },
  },
};

const STREAMS = { stallTimeoutMs: 1_000, finishTimeoutMs: 500 };

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
    readyWithinMs: READY_MS,
    config: {
      llmService: {
        upstream: {
          streams: STREAMS,
          ...UPSTREAM[group],
          hosts: [control, ...[...hosts.values()].flat()].map(({ name, url }) => ({ name, url })),
          routes: [
            { model: CONTROL, tiers: [[{ host: CONTROL }]] },
            ...cases.map((definition) => ({
              model: definition.name,
              tiers: definition.tiers.map((tier) => tier.map((letter) => targetOf(definition, letter))),
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
  const service = await startService({
    app: 'llm-service',
    readyWithinMs: READY_MS,
    env: { LLM_HOSTS: list },
  });
  return gatewayOf(service, new Map([[definition, hosts]]), []);
}

async function hostsFor({ name, tiers, list }: FaultCase): Promise<readonly FaultHost[]> {
  const hosts = await Promise.all(tiers.flat().map((letter) => FaultHost.start(hostName(name, letter))));
  const [primary] = hosts;
  if (primary && list) primary.list = list;
  return hosts;
}

function targetOf({ name, continues }: FaultCase, letter: string) {
  const host = hostName(name, letter);
  return continues === letter ? { host, capabilities: { prefixContinuation: 'vllm' } } : { host };
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
  const watch = new GatewayWatch(service.url);
  return {
    origin: service.url,
    pid: service.process.pid ?? 0,
    watch,
    hostsOf: (definition) => hosts.get(definition) ?? [],
    async [Symbol.asyncDispose]() {
      watch.stop();
      await service.stop('SIGKILL');
      await Promise.all([...hosts.values(), others].flat().map((host) => host.close()));
    },
  };
}
