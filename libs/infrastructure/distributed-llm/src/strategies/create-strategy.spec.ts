import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@morgan/testing';
import fc from 'fast-check';
import { candidate } from '../../fixture/candidate.ts';
import { createStrategy, DEFAULT_STRATEGY, loadBalancingStrategy } from './create-strategy.ts';
import type { Candidate } from './strategy.ts';

const NAMES = loadBalancingStrategy.options;
const WEIGHTED = NAMES.filter((name) => name !== 'random');
/** fast-check's seed: the same cases each time, so that chance never decides. */
const FIXED = { seed: 20_261_126 };
const TURNS = 3_000;

const weights = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 8 });
const anyCandidates = fc.uniqueArray(
  fc
    .record({
      name: fc.string({ minLength: 1, maxLength: 12 }),
      weight: fc.double({ min: 0.01, max: 1000, noNaN: true }),
      inFlight: fc.nat(100),
      tokensInFlight: fc.nat(1_000_000),
      ttftMs: fc.option(fc.double({ min: 0, max: 300_000, noNaN: true }), { nil: undefined }),
    })
    .map(({ name, ...rest }) => candidate(name, rest)),
  { minLength: 1, maxLength: 12, selector: ({ name }) => name },
);
const anyCall = fc.record({
  sessionKey: fc.option(fc.string(), { nil: undefined }),
  promptTokens: fc.nat(200_000),
});

/** How often each is chosen by calls of many sessions. Each call stays under way while `underWay` more of them come. */
function countsOf(
  choose: (targets: Candidate[], turn: number) => Candidate,
  fleet: Candidate[],
  underWay = 0,
) {
  const counts = new Map(fleet.map(({ name }) => [name, 0]));
  const loads = new Map(fleet.map(({ name }) => [name, 0]));
  const add = (name: string, to: Map<string, number>, by: number) => to.set(name, (to.get(name) ?? 0) + by);
  const last: string[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    const now = fleet.map((target) => {
      const inFlight = loads.get(target.name) ?? 0;
      return { ...target, inFlight, tokensInFlight: inFlight * 1_000 };
    });
    const { name } = choose(now, turn);
    add(name, counts, 1);
    if (underWay === 0) continue;
    add(name, loads, 1);
    last.push(name);
    if (last.length > underWay) add(last.shift() as string, loads, -1);
  }
  return [...counts.values()];
}

describe('the strategies', () => {
  it('are a closed set', () => {
    expect(NAMES).toEqual([
      'round_robin',
      'random',
      'weighted_random',
      'least_loaded',
      'power_of_two',
      'session_affinity',
    ]);
    expect(loadBalancingStrategy.safeParse('fastest').success).toBe(false);
  });

  it('are all in the README, with the default named', () => {
    const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
    for (const name of NAMES) expect(readme).toContain(`| \`${name}\``);
    expect(readme).toContain(`## Why \`${DEFAULT_STRATEGY}\` is the default`);
  });

  it.each(NAMES)('%s names one of the candidates, whatever they are', (name) => {
    const strategy = createStrategy(name);
    const property = fc.property(anyCandidates, anyCall, (targets, call) => {
      expect(targets).toContain(strategy.choose(targets, call));
    });
    fc.assert(property, { numRuns: 300 });
  });

  it.each(NAMES)('%s leaves out who is away, and takes it in again', (name) => {
    const strategy = createStrategy(name, seededRandom(1));
    const fleet = ['a', 'b', 'c'].map((host) => candidate(host));
    const choose = (targets: Candidate[], turn: number) =>
      strategy.choose(targets, { sessionKey: `${turn}`, promptTokens: 1_000 });
    expect(Math.min(...countsOf(choose, fleet))).toBeGreaterThan(TURNS / 4);
    const [a, b, c] = countsOf((targets, turn) => choose(targets.slice(0, 2), turn), fleet);
    expect([(a ?? 0) + (b ?? 0), c]).toEqual([TURNS, 0]);
    expect(Math.min(...countsOf(choose, fleet))).toBeGreaterThan(TURNS / 4);
  });

  it.each(WEIGHTED.flatMap((name) => [0, 60].map((underWay) => ({ name, underWay }))))(
    '$name shares by weight with $underWay calls under way',
    ({ name, underWay }) => {
      const property = fc.property(weights, fc.nat(), (ofEach, seed) => {
        const strategy = createStrategy(name, seededRandom(seed));
        const fleet = ofEach.map((weight, index) =>
          candidate(`host-${seed}-${index}`, { weight, ttftMs: 300 }),
        );
        const counts = countsOf(
          (targets, turn) => strategy.choose(targets, { sessionKey: `${seed}-${turn}`, promptTokens: 1_000 }),
          fleet,
          underWay,
        );
        const sum = ofEach.reduce((total, weight) => total + weight, 0);
        counts.forEach((count, index) => {
          const share = (ofEach[index] as number) / sum;
          const sigma = Math.sqrt(TURNS * share * (1 - share));
          expect(Math.abs(count - TURNS * share)).toBeLessThan(5 * sigma + 1);
        });
      });
      fc.assert(property, { ...FIXED, numRuns: 5 });
    },
  );

  it('random takes no notice of weights', () => {
    const strategy = createStrategy('random', seededRandom(1));
    const counts = countsOf(
      (targets) => strategy.choose(targets, { sessionKey: undefined, promptTokens: 1 }),
      [candidate('small'), candidate('large', { weight: 100 })],
    );
    expect(Math.abs((counts[0] ?? 0) - TURNS / 2)).toBeLessThan(TURNS / 20);
  });
});
