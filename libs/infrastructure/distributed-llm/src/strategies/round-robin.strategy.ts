import type { Candidate, Strategy } from './strategy.ts';

/**
 * Smooth weighted round robin (nginx): with weights 3, 1, 1 the order is a b a c a, never a a a b c. Each turn every
 * candidate earns its weight; the richest is chosen and pays what all of them earned. One that is away neither earns nor pays.
 */
export class RoundRobinStrategy implements Strategy {
  readonly #credit = new Map<string, number>();

  choose<C extends Candidate>(candidates: readonly C[]): C {
    let richest = candidates[0] as C;
    let most = -Infinity;
    let earned = 0;
    for (const candidate of candidates) {
      const credit = (this.#credit.get(candidate.name) ?? 0) + candidate.weight;
      this.#credit.set(candidate.name, credit);
      earned += candidate.weight;
      if (credit > most) [richest, most] = [candidate, credit];
    }
    this.#credit.set(richest.name, most - earned);
    return richest;
  }

  copy(): RoundRobinStrategy {
    const copy = new RoundRobinStrategy();
    for (const [name, credit] of this.#credit) copy.#credit.set(name, credit);
    return copy;
  }
}
