import { describe, expect, it } from '@jest/globals';
import { busy, turnsDuring } from '@morgan/testing';
import { mapInSlices } from './map-in-slices.ts';

const SIX_MS = Array.from({ length: 10 }, () => 6);
const LONG = [...SIX_MS, ...Array.from({ length: 90 }, () => 0)];

describe('a list that is mapped in slices', () => {
  it.each([
    ['short', SIX_MS],
    ['long', LONG],
  ])('lets others in where it takes long and is %s', async (_, list) => {
    let results: readonly number[] = [];
    const turns = await turnsDuring(async () => (results = await mapInSlices(list, busy)));
    // The first turn of the others comes behind the second slice.
    expect(turns).toBeGreaterThanOrEqual(SIX_MS.length - 2);
    expect(results).toEqual(list);
  });

  it('lets others in as often where many come together, and a short one waits for none of them', async () => {
    let over = 0;
    const turns = await turnsDuring(async () => {
      const all = Array.from({ length: 5 }, async () => {
        await mapInSlices(LONG, busy);
        over += 1;
      });
      expect([await mapInSlices([1, 1], busy), over]).toEqual([[1, 1], 0]);
      await Promise.all(all);
    });
    expect(turns).toBeGreaterThanOrEqual(5 * (SIX_MS.length - 2));
  });

  it('waits for nothing where it does not', () => {
    expect(mapInSlices([0, 0, 0], busy)).toEqual([0, 0, 0]);
    expect(mapInSlices([], busy)).toEqual([]);
  });

  it('breaks with what breaks it, at once or later', async () => {
    const breakAt0 = (ms: number) => {
      if (busy(ms) === 0) throw new Error('broken');
    };
    const both = [LONG, LONG].map(async (list) => mapInSlices(list, breakAt0));
    await expect(Promise.allSettled(both)).resolves.toMatchObject(
      [LONG, LONG].map(() => ({ reason: { message: 'broken' } })),
    );
  });
});
