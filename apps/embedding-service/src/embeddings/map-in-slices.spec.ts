import { describe, expect, it } from '@jest/globals';
import { mapInSlices } from './map-in-slices.ts';

/** How often others have their turn meanwhile. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let [turns, isOver] = [0, false];
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work.finally(() => (isOver = true));
  return turns;
}

function busy(ms: number): number {
  const until = performance.now() + ms;
  while (performance.now() < until);
  return ms;
}

describe('a list that is mapped in slices', () => {
  it('lets others in where it takes long', async () => {
    const list = Array.from({ length: 10 }, () => 6);
    const work = mapInSlices(list, busy);
    // The first turn of the others comes behind the second slice.
    expect(await turnsDuring(Promise.resolve(work))).toBeGreaterThanOrEqual(list.length - 2);
    expect(await work).toEqual(list);
  });

  it('waits for nothing where it does not', () => {
    expect(mapInSlices([0, 0, 0], busy)).toEqual([0, 0, 0]);
    expect(mapInSlices([], busy)).toEqual([]);
  });
});
