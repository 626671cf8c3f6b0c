import type { Candidate, Strategy } from './strategy.ts';
import { weightedDraw } from './weighted-draw.ts';

/** Any of them, each as likely as its weight: `P = weight / sum of weights`. Needs no state, so it is fair across processes. */
export class WeightedRandomStrategy implements Strategy {
  constructor(private readonly random: () => number = Math.random) {}

  choose<C extends Candidate>(candidates: readonly C[]): C {
    return weightedDraw(candidates, this.random());
  }
}
