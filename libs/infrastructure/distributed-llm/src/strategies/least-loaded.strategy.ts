import type { Candidate, Strategy } from './strategy.ts';

/**
 * The least `inFlight / weight`; equals by chance, each as likely as its weight, so that an idle fleet is used in shares too.
 * Knows nothing of speed: a host that fails fast always looks idle.
 */
export class LeastLoadedStrategy implements Strategy {
  constructor(private readonly random: () => number = Math.random) {}

  choose<C extends Candidate>(candidates: readonly C[]): C {
    let chosen = candidates[0] as C;
    let least = Infinity;
    let equals = 0;
    for (const candidate of candidates) {
      const load = candidate.inFlight / candidate.weight;
      if (load > least) continue;
      equals = load < least ? candidate.weight : equals + candidate.weight;
      if (load < least || this.random() * equals < candidate.weight) chosen = candidate;
      least = load;
    }
    return chosen;
  }
}
