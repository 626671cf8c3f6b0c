import { describe, expect, it } from '@jest/globals';
import { compose, type Policy } from './policy.ts';

const context = { id: 'call', signal: new AbortController().signal };

describe('composed policies', () => {
  it('stand around the work in the order they are written, and pass the context on', async () => {
    const order: string[] = [];
    const named = (name: string): Policy => ({
      execute: async (work, given = context) => {
        order.push(`${name} before`);
        const result = await work({ ...given, id: `${given.id}/${name}` });
        order.push(`${name} after`);
        return result;
      },
    });
    const result = await compose(named('outer'), named('inner')).execute(({ id }) => {
      order.push('work');
      return Promise.resolve(id);
    }, context);
    expect(order).toEqual(['outer before', 'inner before', 'work', 'inner after', 'outer after']);
    expect(result).toBe('call/outer/inner');
  });

  it('of which there are none are the work alone, in a call of its own where none is given', async () => {
    expect(await compose().execute(() => Promise.resolve(7), context)).toBe(7);
    const calls = [1, 2].map(() => compose().execute((call) => Promise.resolve(call)));
    const [first, second] = await Promise.all(calls);
    expect([first?.id.length, first?.signal.aborted]).toEqual([36, false]);
    expect(first?.id).not.toBe(second?.id);
  });
});
