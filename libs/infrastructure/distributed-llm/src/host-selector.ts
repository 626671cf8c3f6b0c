import type { Host } from './host.ts';
import { SmoothRoundRobin } from './smooth-round-robin.ts';

/** Names the host for the next try: the best of those not tried yet, by turns among equals. Never filters to none. */
export class HostSelector {
  readonly #turns = new SmoothRoundRobin<Host>();

  constructor(private readonly hosts: readonly Host[]) {}

  next(model: string | undefined, tried: ReadonlySet<Host>): Host | undefined {
    let best: Host[] = [];
    let bestRank = Infinity;
    for (const host of this.hosts) {
      if (tried.has(host)) continue;
      const rank = rankOf(host, model);
      if (rank > bestRank) continue;
      if (rank < bestRank) [best, bestRank] = [[], rank];
      best.push(host);
    }
    return this.#turns.pick(best);
  }
}

/** Reachable before unreachable, then those known to serve the model. A host's list may be incomplete or missing. */
function rankOf(host: Host, model: string | undefined): number {
  const reach = host.state === 'unusable' ? 2 : 0;
  return reach + (model === undefined || host.lists(model) ? 0 : 1);
}
