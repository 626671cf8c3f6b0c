import { type Logger } from '@morgan/foundation';
import type { HttpTransport } from '@morgan/http-transport';
import type { RedisConnection } from '@morgan/redis';
import type { Host } from '../hosts/host.ts';
import type { ModelObject } from '../hosts/model-list.ts';
import { RouteTable } from '../routing/route-table.ts';
import type { DistributedLlmConfig } from './distributed-llm.config.ts';
import type { DistributedLlmMetrics } from './distributed-llm-metrics.ts';
import { createHost } from './host-factory.ts';
import { HostTransports } from './host-transports.ts';

/** What a fleet is made with. */
export interface FleetParts {
  readonly transport: HttpTransport | undefined;
  readonly logger: Logger;
  readonly metrics: DistributedLlmMetrics | undefined;
  readonly redis: RedisConnection | undefined;
}

/** The hosts of a client, the ways to them, and which of them serve which models. */
export class ClientFleet {
  readonly hosts: readonly Host[];
  readonly transports: HostTransports;
  readonly routes: RouteTable;
  readonly #forget: () => void;

  constructor(config: DistributedLlmConfig, { transport, logger, metrics, redis }: FleetParts) {
    this.transports = new HostTransports(config, transport);
    const transportOf = (name: string) => this.transports.of(name);
    this.hosts = config.hosts.map((host) =>
      createHost(host, { config, transportOf, logger, metrics, redis }),
    );
    this.routes = new RouteTable({ ...config, hosts: this.hosts });
    metrics?.hosts.watch(this.hosts);
    const unwatch = this.hosts.map(({ name, address }) =>
      metrics?.transport.watch(name, () => transportOf(name).statusOf(address.origin)),
    );
    this.#forget = () => {
      metrics?.hosts.forget(this.hosts);
      for (const end of unwatch) end?.();
      for (const { policies } of this.hosts) policies.stop();
    };
  }

  /** @throws RangeError when there is no such host. */
  host(name: string): Host {
    const found = this.hosts.find((host) => host.name === name);
    if (!found) throw new RangeError(`no host is named "${name}"`);
    return found;
  }

  /** The models of all hosts that take part and are not down, of equal ids the first, after the names of the routes. */
  models(): readonly ModelObject[] {
    const byId = new Map<string, ModelObject>();
    for (const id of this.routes.names) byId.set(id, { id, object: 'model', created: 0, owned_by: 'morgan' });
    for (const { health, mode, models } of this.hosts) {
      if (health.isDown || mode !== 'enabled') continue;
      for (const model of models.objects) if (!byId.has(model.id)) byId.set(model.id, model);
    }
    return [...byId.values()];
  }

  /** Probes every host once, then each on its own interval. Never rejects. */
  async start(): Promise<void> {
    await Promise.all(
      this.hosts.filter(({ mode }) => mode !== 'disabled').map(({ health }) => health.start()),
    );
  }

  stop(): void {
    for (const { health } of this.hosts) health.stop();
    this.#forget();
  }
}
