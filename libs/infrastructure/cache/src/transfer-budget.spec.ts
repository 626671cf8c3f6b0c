import { describe, expect, it } from '@jest/globals';
import { TransferBudget } from './transfer-budget.ts';

function transfers(budget: TransferBudget) {
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const start = (name: string, bytes: number) => {
    const end = Promise.withResolvers<string>();
    ends.set(name, end);
    return budget.run(bytes, () => {
      begun.push(name);
      return end.promise;
    });
  };
  return { begun, start, end: (name: string) => ends.get(name)?.resolve(name) };
}
const turn = () => new Promise(setImmediate);

describe('a budget of transfers', () => {
  it('lets begin what it has bytes for, in the order in which it came', async () => {
    const { begun, start, end } = transfers(new TransferBudget(10));
    const all = [start('a', 6), start('b', 6), start('c', 4), start('d', 0)];
    await turn();
    expect(begun).toEqual(['a']);
    end('a');
    await turn();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    for (const name of ['b', 'c', 'd']) end(name);
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('lets one that is larger than all of it go alone', async () => {
    const { begun, start, end } = transfers(new TransferBudget(10));
    const all = [start('huge', 1_000), start('small', 1)];
    await turn();
    expect(begun).toEqual(['huge']);
    end('huge');
    await turn();
    end('small');
    await Promise.all(all);
  });

  it('is free again after a transfer that fails', async () => {
    const budget = new TransferBudget(10);
    await expect(budget.run(10, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
    expect(await budget.run(10, () => Promise.resolve('done'))).toBe('done');
  });
});
