import { describe, expect, it } from '@jest/globals';
import { EVEN_FLEET, simulateFleet, TROUBLED_FLEET } from '../../fixture/fleet/simulate-fleet.ts';
import { loadBalancingStrategy, type LoadBalancingStrategy } from './create-strategy.ts';

const TRAFFIC = { seed: 1, minutes: 5, startsPerSecond: 2 };
const troubled = (strategy: LoadBalancingStrategy) =>
  simulateFleet({ fleet: TROUBLED_FLEET, strategy, ...TRAFFIC });

describe('a simulated fleet with a slow host and one that fails at once', () => {
  const figures = Object.fromEntries(
    loadBalancingStrategy.options.map((name) => [name, troubled(name)]),
  ) as Record<LoadBalancingStrategy, ReturnType<typeof simulateFleet>>;
  const { round_robin: robin, power_of_two: two, session_affinity: affinity } = figures;

  it('has the same calls for every strategy, and the same outcome each time', () => {
    expect(new Set(Object.values(figures).map(({ calls }) => calls)).size).toBe(1);
    expect(troubled('session_affinity')).toEqual(affinity);
  });

  it('begins to answer much sooner by power of two choices than by turns', () => {
    expect(two.p95 * 10).toBeLessThan(robin.p95);
  });

  it('begins to answer sooner still by session affinity, from caches', () => {
    expect(affinity.p50 * 3).toBeLessThan(robin.p50);
    expect(affinity.p95 * 2).toBeLessThan(two.p95);
    expect(affinity.cacheHits).toBeGreaterThan(1.5 * robin.cacheHits);
  });

  it('draws traffic to the failing host by least loaded only', () => {
    const share = (name: LoadBalancingStrategy) => figures[name].shares['failing'];
    expect(share('least_loaded')).toBeGreaterThan(0.3);
    expect(share('power_of_two')).toBeLessThan(0.05);
    expect(share('session_affinity')).toBeLessThan(0.05);
  });

  it.each(['power_of_two', 'session_affinity'] as const)(
    'uses every host by %s, the slow one little',
    (name) => {
      const { slow = 0, failing = 0, joins = 0, leaves = 0, ...good } = figures[name].shares;
      expect(Math.min(slow, failing)).toBeGreaterThan(0);
      expect(slow).toBeLessThan(0.025);
      expect(Math.min(joins, leaves)).toBeGreaterThan(0.04);
      expect(Math.min(...Object.values(good))).toBeGreaterThan(0.06);
    },
  );
});

describe('a simulated fleet of equals', () => {
  it('answers sooner by session affinity, and not later by power of two choices', () => {
    const even = (strategy: LoadBalancingStrategy) =>
      simulateFleet({ fleet: EVEN_FLEET, strategy, ...TRAFFIC, startsPerSecond: 0.7 });
    const [robin, two, affinity] = [even('round_robin'), even('power_of_two'), even('session_affinity')];
    expect(affinity.p95 * 2).toBeLessThan(robin.p95);
    expect(two.p95).toBeLessThan(robin.p95 * 1.25);
  });
});
