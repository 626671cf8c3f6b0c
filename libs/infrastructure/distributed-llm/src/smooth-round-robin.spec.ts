import { describe, expect, it } from '@jest/globals';
import { SmoothRoundRobin } from './smooth-round-robin.ts';

const item = (name: string, weight: number) => ({ name, weight });
type Item = ReturnType<typeof item>;
const robinOf = () => new SmoothRoundRobin<Item>(({ weight }) => weight);
const turns = (robin: SmoothRoundRobin<Item>, count: number, items: Item[]) =>
  Array.from({ length: count }, () => robin.pick(items)?.name).join('');

describe('SmoothRoundRobin', () => {
  it('takes turns where the weights are equal', () => {
    expect(turns(robinOf(), 7, [item('a', 1), item('b', 1), item('c', 1)])).toBe('abcabca');
  });

  it('spreads the turns of a heavy one out', () => {
    expect(turns(robinOf(), 14, [item('a', 5), item('b', 1), item('c', 1)])).toBe('aabacaaaabacaa');
    expect(turns(robinOf(), 10, [item('a', 3), item('b', 1), item('c', 1)])).toBe('abacaabaca');
  });

  it('keeps to fractions', () => {
    const picked = turns(robinOf(), 300, [item('a', 0.5), item('b', 1)]);
    expect(picked.replaceAll('b', '')).toHaveLength(100);
  });

  it('goes on fairly after one was away', () => {
    const robin = robinOf();
    const [a, b, c] = [item('a', 1), item('b', 1), item('c', 1)];
    expect(turns(robin, 3, [a, b, c])).toBe('abc');
    expect(turns(robin, 4, [a, c])).toBe('acac');
    expect(turns(robin, 6, [a, b, c])).toBe('abcabc');
  });

  it('picks nothing from nothing', () => {
    expect(robinOf().pick([])).toBeUndefined();
  });
});
