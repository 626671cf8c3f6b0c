import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { candidate } from '../../fixture/candidate.ts';
import { RoundRobinStrategy } from './round-robin.strategy.ts';
import type { Candidate } from './strategy.ts';

const of = (name: string, weight: number) => candidate(name, { weight });
const turns = (strategy: RoundRobinStrategy, count: number, targets: Candidate[]) =>
  Array.from({ length: count }, () => strategy.choose(targets).name).join('');

describe('round robin', () => {
  it('takes turns where the weights are equal', () => {
    expect(turns(new RoundRobinStrategy(), 7, [of('a', 1), of('b', 1), of('c', 1)])).toBe('abcabca');
  });

  it('spreads the turns of a heavy one out', () => {
    expect(turns(new RoundRobinStrategy(), 14, [of('a', 5), of('b', 1), of('c', 1)])).toBe('aabacaaaabacaa');
    expect(turns(new RoundRobinStrategy(), 10, [of('a', 3), of('b', 1), of('c', 1)])).toBe('abacaabaca');
  });

  it('is exact after each whole round', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 });
    const property = fc.property(weights, (ofEach) => {
      const fleet = ofEach.map((weight, index) => of(String.fromCharCode(97 + index), weight));
      const round = ofEach.reduce((sum, weight) => sum + weight, 0);
      const chosen = turns(new RoundRobinStrategy(), 3 * round, fleet);
      for (const { name, weight } of fleet) expect(chosen.split(name)).toHaveLength(3 * weight + 1);
    });
    fc.assert(property);
  });

  it('keeps to fractions', () => {
    const chosen = turns(new RoundRobinStrategy(), 300, [of('a', 0.5), of('b', 1)]);
    expect(chosen.replaceAll('b', '')).toHaveLength(100);
  });

  it('goes on fairly after one was away', () => {
    const strategy = new RoundRobinStrategy();
    const [a, b, c] = [of('a', 1), of('b', 1), of('c', 1)];
    expect(turns(strategy, 3, [a, b, c])).toBe('abc');
    expect(turns(strategy, 4, [a, c])).toBe('acac');
    expect(turns(strategy, 6, [a, b, c])).toBe('abcabc');
  });

  it('knows a target by its name, not by its object', () => {
    const strategy = new RoundRobinStrategy();
    const fresh = () => strategy.choose([of('a', 1), of('b', 1)]).name;
    expect([fresh(), fresh(), fresh(), fresh()].join('')).toBe('abab');
  });
});
