import type { CircuitBreakerRegistry } from '@morgan/circuit-breaker';
import type { HealthMonitor } from '@morgan/health-monitor';
import type { Host } from './host.ts';
import { SmoothRoundRobin } from './smooth-round-robin.ts';

/** Names the host for the next try: the best of those not tried yet whose breakers let a call through. */
export class HostSelector {
  readonly #turns: SmoothRoundRobin<Host>;

  constructor(
    private readonly hosts: readonly Host[],
    private readonly health: HealthMonitor,
    private readonly breakers: CircuitBreakerRegistry,
  ) {
    // All hosts are down where one that is down gets a turn, and then none of them is to be spared.
    this.#turns = new SmoothRoundRobin(({ name, weight }) => weight * (health.weightOf(name) || 1));
  }

  next(model: string | undefined, tried: ReadonlySet<Host>): Host | undefined {
    let best: Host[] = [];
    let bestRank = Infinity;
    for (const host of this.hosts) {
      if (tried.has(host) || !this.breakers.get(host.name).allows()) continue;
      const rank = this.#rankOf(host, model);
      if (rank > bestRank) continue;
      if (rank < bestRank) [best, bestRank] = [[], rank];
      best.push(host);
    }
    return this.#turns.pick(best);
  }

  /** Those that are well before those that are down, then those known to serve the model: a host's list may be incomplete. */
  #rankOf(host: Host, model: string | undefined): number {
    const down = this.health.stateOf(host.name) === 'UNHEALTHY' ? 2 : 0;
    return down + (model === undefined || host.lists(model) ? 0 : 1);
  }
}
