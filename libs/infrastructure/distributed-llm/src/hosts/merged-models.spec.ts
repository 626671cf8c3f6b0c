import { expect, it } from '@jest/globals';
import { MergedModels } from './merged-models.ts';

const [route, a, otherA, b] = [{ id: 'route' }, { id: 'a', of: 1 }, { id: 'a', of: 2 }, { id: 'b' }];

it('takes of equal ids the first, after the names of the routes', () => {
  const models = new MergedModels([route]);
  expect(models.all).toEqual([route]);
  expect(models.of([[a], [otherA, { id: 'route', of: 1 }, b]]).all).toEqual([route, a, b]);
  expect(models.byId.get('a')).toBe(a);
});

it('is the same list for as long as the lists are, and another one where one of them is', () => {
  const models = new MergedModels([route]);
  const [one, two] = [[a], [b]];
  const { all } = models.of([one, two]);
  expect(models.of([one, two]).all).toBe(all);
  expect(models.of([one, [...two]]).all).not.toBe(all);
  expect(models.of([one]).all).toEqual([route, a]);
  expect(models.of([]).all).toEqual([route]);
});
