import { describe, expect, it } from '@jest/globals';
import { JoinedCommands } from './joined-commands.ts';

function commands(mostItems = 4) {
  const asked: (readonly string[])[] = [];
  const joined = new JoinedCommands(
    () => mostItems,
    (keys: readonly string[]) => {
      asked.push([...keys]);
      return Promise.resolve(keys.map((key) => key.toUpperCase()));
    },
  );
  return { asked, joined };
}

describe('joined commands', () => {
  it('are one for all calls of a turn of the event loop, and give each call its own', async () => {
    const { asked, joined } = commands();
    const got = await Promise.all([joined.run(['a', 'b']), joined.run(['c']), joined.run([])]);
    expect(got).toEqual([['A', 'B'], ['C'], []]);
    expect(asked).toEqual([['a', 'b', 'c']]);
    expect(await joined.run(['d'])).toEqual(['D']);
    expect(asked).toHaveLength(2);
  });

  it('hold no more than they may, and do not take a call apart', async () => {
    const { asked, joined } = commands();
    const calls = [['a', 'b'], ['c', 'd', 'e'], ['f'], ['g', 'h', 'i', 'j']];
    const got = await Promise.all(calls.map((keys) => joined.run(keys)));
    expect(got).toEqual(calls.map((keys) => keys.map((key) => key.toUpperCase())));
    expect(asked).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e', 'f'],
      ['g', 'h', 'i', 'j'],
    ]);
  });

  it('fail for those who asked together, and for nobody after them', async () => {
    let broken = true;
    const joined = new JoinedCommands(
      () => 4,
      (keys) => (broken ? Promise.reject(new Error('gone')) : Promise.resolve(keys)),
    );
    const ends = await Promise.allSettled([joined.run(['a']), joined.run(['b'])]);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken = false;
    expect(await joined.run(['c'])).toEqual(['c']);
  });
});
