import { describe, expect, it } from '@jest/globals';
import { JoinedLookups } from './joined-lookups.ts';

function lookups(mostKeys = 4) {
  const asked: (readonly string[])[] = [];
  const joined = new JoinedLookups(
    () => mostKeys,
    (keys) => {
      asked.push([...keys]);
      return Promise.resolve(keys.map((key) => key.toUpperCase()));
    },
  );
  return { asked, joined };
}

describe('joined look-ups', () => {
  it('are one for all calls of a turn of the event loop, and give each call its own', async () => {
    const { asked, joined } = lookups();
    const got = await Promise.all([joined.get(['a', 'b']), joined.get(['c']), joined.get([])]);
    expect(got).toEqual([['A', 'B'], ['C'], []]);
    expect(asked).toEqual([['a', 'b', 'c']]);
    expect(await joined.get(['d'])).toEqual(['D']);
    expect(asked).toHaveLength(2);
  });

  it('hold no more than they may, and do not take a call apart', async () => {
    const { asked, joined } = lookups();
    const calls = [['a', 'b'], ['c', 'd', 'e'], ['f'], ['g', 'h', 'i', 'j']];
    const got = await Promise.all(calls.map((keys) => joined.get(keys)));
    expect(got).toEqual(calls.map((keys) => keys.map((key) => key.toUpperCase())));
    expect(asked).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e', 'f'],
      ['g', 'h', 'i', 'j'],
    ]);
  });

  it('fail for those who asked together, and for nobody after them', async () => {
    let broken = true;
    const joined = new JoinedLookups(
      () => 4,
      (keys) => (broken ? Promise.reject(new Error('gone')) : Promise.resolve(keys)),
    );
    const ends = await Promise.allSettled([joined.get(['a']), joined.get(['b'])]);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken = false;
    expect(await joined.get(['c'])).toEqual(['c']);
  });
});
