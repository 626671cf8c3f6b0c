import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LinkedList, type ListPlace } from './linked-list.ts';

describe('a linked list', () => {
  it('holds what a Set would, in the same order', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(9)));
    fc.assert(
      fc.property(steps, (all) => {
        const list = new LinkedList<number>();
        const [set, places] = [new Set<number>(), new Map<number, ListPlace<number>>()];
        for (const [comes, item] of all) {
          const place = places.get(item);
          if (comes && !set.has(item)) places.set(item, list.append(item));
          if (comes) set.add(item);
          else expect(place !== undefined && list.remove(place)).toBe(set.delete(item));
          expect([[...list], list.size, list.first]).toEqual([[...set], set.size, [...set][0]]);
        }
      }),
    );
  });

  it('can lose each item while it is looked at', () => {
    const list = new LinkedList<number>();
    const places = [1, 2, 3].map((item) => list.append(item));
    const seen: number[] = [];
    for (const item of list) {
      seen.push(item);
      list.remove(places[item - 1] as ListPlace<number>);
    }
    expect([seen, list.size, list.first]).toEqual([[1, 2, 3], 0, undefined]);
  });

  it('leaves places that lead nowhere, so that what is gone holds nothing that came later', () => {
    const list = new LinkedList<number>();
    const [first, second] = [list.append(1), list.append(2)];
    list.append(3);
    list.remove(second);
    list.remove(first);
    for (const place of [first, second])
      expect(place).toEqual({ item: place.item, list: undefined, previous: undefined, next: undefined });
    expect(new LinkedList<number>().remove(first)).toBe(false);
  });
});
