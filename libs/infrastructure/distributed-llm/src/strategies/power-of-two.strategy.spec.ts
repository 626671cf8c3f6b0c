import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@morgan/testing';
import { candidate, candidates } from '../../fixture/candidate.ts';
import { PowerOfTwoStrategy } from './power-of-two.strategy.ts';
import type { Candidate } from './strategy.ts';

const call = { sessionKey: undefined, promptTokens: 1_000 };
/** Which of two is chosen however they are drawn. */
const better = (one: Candidate, other: Candidate, promptTokens = call.promptTokens) => {
  const strategy = new PowerOfTwoStrategy(seededRandom(1));
  const names = Array.from(
    { length: 50 },
    () => strategy.choose([one, other], { ...call, promptTokens }).name,
  );
  return [...new Set(names)].sort().join(' or ');
};

describe('power of two choices', () => {
  it('takes the only one there is', () => {
    expect(new PowerOfTwoStrategy().choose([candidate('a')], call).name).toBe('a');
  });

  it('takes the one that begins to answer sooner', () => {
    expect(better(candidate('a', { ttftMs: 400 }), candidate('b', { ttftMs: 300 }))).toBe('b');
  });

  it('takes no notice of what may be noise: load and weight decide then', () => {
    const [one, other] = [candidate('one', { ttftMs: 5 }), candidate('other', { ttftMs: 54 })];
    expect(better(one, other)).toBe('one or other');
    expect(better({ ...one, tokensInFlight: 1 }, other)).toBe('other');
    expect(better(one, candidate('slow', { ttftMs: 56 }))).toBe('one');
    expect(better(candidate('a', { ttftMs: 1_000 }), candidate('b', { ttftMs: 820 }))).toBe('a or b');
    expect(better(candidate('a', { ttftMs: 1_000 }), candidate('b', { ttftMs: 780 }))).toBe('b');
  });

  it('gives idle hosts their shares, though one was a little quicker last', () => {
    const strategy = new PowerOfTwoStrategy(seededRandom(3));
    const fleet = [candidate('heavy', { weight: 3, ttftMs: 9 }), candidate('light', { ttftMs: 6 })];
    const names = Array.from({ length: 4_000 }, () => strategy.choose(fleet, call).name);
    expect(names.filter((name) => name === 'heavy').length / 4_000).toBeCloseTo(0.75, 1);
  });

  it('multiplies that with the tokens that wait there and its own', () => {
    const [slow, busy] = [
      candidate('slow', { ttftMs: 900 }),
      candidate('busy', { ttftMs: 300, tokensInFlight: 2_500 }),
    ];
    expect(better(slow, busy)).toBe('slow');
    expect(better(slow, { ...busy, tokensInFlight: 1_500 })).toBe('busy');
    expect(better(slow, busy, 10_000)).toBe('busy');
  });

  it('expects more of a heavier one', () => {
    const heavy = candidate('heavy', { weight: 3, tokensInFlight: 2_900 });
    const light = candidate('light', { tokensInFlight: 1_000 });
    expect(better(heavy, light)).toBe('heavy');
    expect(better({ ...heavy, tokensInFlight: 3_100 }, light)).toBe('light');
  });

  it('judges by load alone where one is unknown: neither sought nor avoided', () => {
    const known = candidate('known', { ttftMs: 20, tokensInFlight: 500 });
    expect(better(known, candidate('new', { tokensInFlight: 400 }))).toBe('new');
    expect(better(known, candidate('new', { tokensInFlight: 600 }))).toBe('known');
    expect(better(known, candidate('new', { tokensInFlight: 500 }))).toBe('known or new');
  });

  it('draws two different ones, so the worst of all is never chosen', () => {
    const strategy = new PowerOfTwoStrategy(seededRandom(2));
    const fleet = [...candidates(4, { ttftMs: 300 }), candidate('worst', { ttftMs: 6_000 })];
    const names = Array.from({ length: 2_000 }, () => strategy.choose(fleet, call).name);
    expect(new Set(names)).toEqual(new Set(candidates(4).map(({ name }) => name)));
  });

  it('also looks at time where a prompt is empty', () => {
    expect(better(candidate('a', { ttftMs: 400 }), candidate('b', { ttftMs: 300 }), 0)).toBe('b');
  });
});
