import { describe, expect, it } from '@jest/globals';
import { atMost, byTurns, compare, median, quantile } from './bench-row.ts';

describe('a measurement', () => {
  it('is taken by turns, and its first round does not count', async () => {
    const order: string[] = [];
    const figures = { own: 0, bare: 100 };
    const next = (name: 'own' | 'bare') => () => {
      order.push(name);
      return Promise.resolve((figures[name] += 1));
    };
    expect(await byTurns(2, { own: next('own'), bare: next('bare') })).toEqual([
      { own: 2, bare: 102 },
      { own: 3, bare: 103 },
    ]);
    expect(order).toEqual(['own', 'bare', 'own', 'bare', 'own', 'bare']);
  });

  it.each([
    ['more', 0.5],
    ['less', 2],
  ] as const)('of which %s is better has the median of the ratios of its rounds', (better, ratio) => {
    const claim = { name: 'it', unit: 'ms', target: 1, better, baseline: 'the other' };
    const rounds = [
      [10, 20],
      [1, 100],
      [30, 40],
    ] as const;
    expect(compare(claim, rounds)).toEqual({
      name: 'it',
      unit: 'ms',
      target: 1,
      value: 10,
      baseline: { name: 'the other', value: 40 },
      ratio,
    });
  });

  it('with a ceiling misses its target above that', () => {
    expect([atMost('it', 's', 0.5, 1).ratio, atMost('it', 's', 2, 1).ratio]).toEqual([2, 0.5]);
  });

  it('has quantiles', () => {
    expect([median([3, 1, 2]), median([4, 1]), quantile([0, 10, 20, 30], 0.5)]).toEqual([2, 2.5, 15]);
    expect(median([])).toBeNaN();
  });
});
