import { z } from 'zod';
import { LeastLoadedStrategy } from './least-loaded.strategy.ts';
import { PowerOfTwoStrategy } from './power-of-two.strategy.ts';
import { RandomStrategy } from './random.strategy.ts';
import { RoundRobinStrategy } from './round-robin.strategy.ts';
import { SessionAffinityStrategy } from './session-affinity.strategy.ts';
import type { Strategy } from './strategy.ts';
import { WeightedRandomStrategy } from './weighted-random.strategy.ts';

/** How a target is chosen among the equal ones of a tier. */
export const loadBalancingStrategy = z.enum([
  'round_robin',
  'random',
  'weighted_random',
  'least_loaded',
  'power_of_two',
  'session_affinity',
]);

export type LoadBalancingStrategy = z.output<typeof loadBalancingStrategy>;

/** Why this one: the table in the strategies' README. */
export const DEFAULT_STRATEGY: LoadBalancingStrategy = 'session_affinity';

/**
 * One for each tier, kept as long as the tier: round robin remembers whose turn it is.
 * @param random as `Math.random`.
 */
export function createStrategy(name: LoadBalancingStrategy, random: () => number = Math.random): Strategy {
  switch (name) {
    case 'round_robin':
      return new RoundRobinStrategy();
    case 'random':
      return new RandomStrategy(random);
    case 'weighted_random':
      return new WeightedRandomStrategy(random);
    case 'least_loaded':
      return new LeastLoadedStrategy(random);
    case 'power_of_two':
      return new PowerOfTwoStrategy(random);
    case 'session_affinity':
      return new SessionAffinityStrategy(random);
  }
}
