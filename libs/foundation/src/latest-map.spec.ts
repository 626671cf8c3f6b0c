import { expect, it } from '@jest/globals';
import { LatestMap } from './latest-map.ts';

it('a map of the latest entries keeps so many, and one that is set again is the latest', () => {
  const map = new LatestMap<string | undefined, number>(2).set(undefined, 1).set('b', 2);
  expect([...map.set(undefined, 3).set('c', 4)]).toEqual([
    [undefined, 3],
    ['c', 4],
  ]);
});
