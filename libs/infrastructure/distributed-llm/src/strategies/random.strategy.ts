import type { Candidate, Strategy } from './strategy.ts';

/** Any of them, each as likely as the others, whatever their weights. */
export class RandomStrategy implements Strategy {
  constructor(private readonly random: () => number = Math.random) {}

  choose<C extends Candidate>(candidates: readonly C[]): C {
    return candidates[Math.floor(this.random() * candidates.length)] as C;
  }
}
