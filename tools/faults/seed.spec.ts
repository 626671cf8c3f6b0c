import { describe, expect, it } from '@jest/globals';
import { Seed } from './seed.ts';

const draws = (seed: number, name: string) => {
  const drawn = new Seed(seed, name);
  return Array.from({ length: 200 }, () => drawn.between(3, 9));
};

describe('the seed', () => {
  it('gives a case the same draws in each run, and other cases and seeds others', () => {
    expect(draws(1, 'reset/equal')).toEqual(draws(1, 'reset/equal'));
    expect(draws(1, 'reset/equal')).not.toEqual(draws(1, 'reset/tier'));
    expect(draws(1, 'reset/equal')).not.toEqual(draws(2, 'reset/equal'));
  });

  it('draws every whole number of a range and no other', () => {
    expect([...new Set(draws(1, 'any'))].sort()).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });
});
