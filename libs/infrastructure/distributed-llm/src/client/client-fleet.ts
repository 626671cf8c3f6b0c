import { isDeepStrictEqual } from 'node:util';
import { type Logger } from '@morgan/foundation';
import type { RedisConnection } from '@morgan/redis';
import type { LlmHost } from '../hosts/host-list.ts';
import type { Host } from '../hosts/host.ts';
import { MergedModels } from '../hosts/merged-models.ts';
import { type ModelObject, spellingsOf } from '../hosts/model-list.ts';
import { RouteTable } from '../routing/route-table.ts';
import type { DistributedLlmConfig } from '../distributed-llm.config.ts';
import type { DistributedLlmMetrics } from './distributed-llm-metrics.ts';
import { createHost } from './host-factory.ts';
import type { HostTransports } from './host-transports.ts';

/** What a fleet is made with. */
export interface FleetParts {
  readonly transports: HostTransports;
  readonly logger: Logger;
  readonly metrics: DistributedLlmMetrics | undefined;
  readonly redis: RedisConnection | undefined;
}

/** The settings of the client that a host is made with: where one changes, every host is another. */
const HOST_SETTINGS = [
  'circuitBreaker',
  'firstByteTimeoutMs',
  'answerTimeoutMs',
  'probeIntervalMs',
  'probeTimeoutMs',
  'maxRestMs',
] as const;

/** The settings that say what goes where. */
const ROUTE_SETTINGS = ['routes', 'groups', 'strategy', 'allowedStrategies'] as const;

/**
 * The hosts of a client and which of them serve which models. A host whose settings are those of the fleet before is the
 * same one, with all that is known of it; a new weight alone changes no host. A host that is drained or disabled stays so.
 * One with other settings at the same URL has the load that is there, and limits that are as before go on.
 */
export class ClientFleet {
  readonly hosts: readonly Host[];
  readonly routes: RouteTable;
  readonly #config: DistributedLlmConfig;
  readonly #parts: FleetParts;
  readonly #models: MergedModels;
  readonly #unwatch = new Map<Host, () => void>();

  constructor(config: DistributedLlmConfig, parts: FleetParts, previous?: ClientFleet) {
    this.#config = config;
    this.#parts = parts;
    this.hosts = config.hosts.map((host) => previous?.handOver(host, this) ?? this.#make(host, previous));
    this.routes = this.#routesOf(previous) ?? new RouteTable({ ...config, hosts: this.hosts });
    this.#models = new MergedModels(this.routes.names.map(modelOfRoute));
  }

  /** @throws RangeError when there is no such host. */
  host(name: string): Host {
    const found = this.#find(name);
    if (!found) throw new RangeError(`no host is named "${name}"`);
    return found;
  }

  /** The models of all hosts that take part and are not down, of equal ids the first, after the names of the routes. */
  models(): readonly ModelObject[] {
    return this.#known().all;
  }

  /** One of {@link models}, or one that a glob takes, by a name that calls may have for it. */
  model(name: string): ModelObject | undefined {
    const { byId } = this.#known();
    const id = spellingsOf(name).find((spelling) => byId.has(spelling));
    if (id !== undefined) return byId.get(id);
    return this.routes.find(name).name === undefined ? undefined : modelOfRoute(name);
  }

  /** Probes every host once, then each on its own interval. Never rejects. @param running hosts that are probed already. */
  async start(running: readonly Host[] = []): Promise<void> {
    const starting = this.hosts.filter((host) => host.mode !== 'disabled' && !running.includes(host));
    await Promise.all(starting.map(({ health }) => health.start()));
  }

  /** Ends what is about hosts that the next fleet has not. @returns those. */
  stop(next?: ClientFleet): readonly Host[] {
    const leaving = this.hosts.filter((host) => !next?.hosts.includes(host));
    for (const host of leaving) {
      host.health.stop();
      host.policies.stop(next && next.#find(host.name)?.policies);
      this.#unwatch.get(host)?.();
    }
    this.#parts.metrics?.hosts.forget(leaving);
    return leaving;
  }

  /** @returns the host of the next fleet that is the same as one here. */
  private handOver(options: LlmHost, next: ClientFleet): Host | undefined {
    const { weight } = options;
    const host = this.#find(options.name);
    if (!host || !isSame(this.#config, next.#config, HOST_SETTINGS)) return undefined;
    if (!isDeepStrictEqual({ ...host.options, weight }, options)) return undefined;
    if (weight !== this.#configuredWeight(host)) host.weight = weight;
    next.#unwatch.set(host, this.#unwatch.get(host) as () => void);
    return host;
  }

  /** What operators have set by hand of the host of this name goes on to the one in its place: its settings are not theirs. */
  private handOn(host: Host): void {
    const before = this.#find(host.name);
    if (!before) return;
    if (before.mode === 'draining') host.drain();
    if (before.mode === 'disabled') host.disable();
    // A weight stays until the configuration has another one.
    if (host.options.weight === this.#configuredWeight(before)) host.weight = before.weight;
    const { breaker } = before.policies;
    if (!breaker.isHeld) return;
    if (breaker.state === 'OPEN') host.policies.breaker.forceOpen();
    else host.policies.breaker.forceClose();
  }

  #known(): MergedModels {
    const there = this.hosts.filter(({ health, takesPart }) => takesPart && !health.isDown);
    return this.#models.of(there.map(({ models }) => models.objects));
  }

  #find(name: string): Host | undefined {
    return this.hosts.find((host) => host.name === name);
  }

  #configuredWeight({ name }: Host): number | undefined {
    return this.#config.hosts.find((host) => host.name === name)?.weight;
  }

  #make(options: LlmHost, previous: ClientFleet | undefined): Host {
    const { transports, metrics, ...rest } = this.#parts;
    transports.add(options);
    const transportOf = (one: LlmHost) => transports.of(one);
    const before = previous && previous.#find(options.name);
    const isSamePlace = before?.options.url === options.url;
    const parts = { config: this.#config, transportOf, metrics, ...rest };
    const host = createHost(options, parts, isSamePlace ? before : undefined);
    previous?.handOn(host);
    metrics?.hosts.watch([host]);
    const read = () => transports.of(options).statusOf(host.address.origin);
    this.#unwatch.set(host, metrics?.transport.watch(host.name, read) ?? (() => undefined));
    return host;
  }

  /** The routes of before, with what is known of their targets, where they lead to the same hosts. */
  #routesOf(previous: ClientFleet | undefined): RouteTable | undefined {
    if (!previous || !isSame(this.#config, previous.#config, ROUTE_SETTINGS)) return undefined;
    const areSame = previous.hosts.length === this.hosts.length;
    return areSame && this.hosts.every((host, at) => host === previous.hosts[at])
      ? previous.routes
      : undefined;
  }
}

/** What can be said of a name that only the configuration knows. */
function modelOfRoute(id: string): ModelObject {
  return { id, object: 'model', created: 0, owned_by: 'morgan' };
}

function isSame<Key extends keyof DistributedLlmConfig>(
  one: DistributedLlmConfig,
  other: DistributedLlmConfig,
  keys: readonly Key[],
): boolean {
  return keys.every((key) => isDeepStrictEqual(one[key], other[key]));
}
