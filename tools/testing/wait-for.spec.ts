import { describe, expect, it } from '@jest/globals';
import { waitFor } from './wait-for.ts';

describe('waitFor', () => {
  it('returns the first truthy value', async () => {
    const values = [0, '', undefined, 'here'];
    await expect(waitFor(() => values.shift(), { what: 'a value' })).resolves.toBe('here');
  });

  it('outlives a condition that throws', async () => {
    let calls = 0;
    const condition = () => {
      calls += 1;
      if (calls < 3) throw new Error('not yet');
      return Promise.resolve(calls);
    };
    await expect(waitFor(condition, { what: 'calm' })).resolves.toBe(3);
  });

  it('gives up with what it waited for and why', async () => {
    const condition = () => {
      throw new Error('closed');
    };
    await expect(waitFor(condition, { what: 'the door', timeoutMs: 20 })).rejects.toMatchObject({
      message: 'waited 20 ms in vain for the door',
      cause: new Error('closed'),
    });
  });

  it('gives up on a condition that never answers', async () => {
    const hang = () => new Promise<boolean>(() => undefined);
    await expect(waitFor(hang, { what: 'a sign', timeoutMs: 20 })).rejects.toThrow('in vain for a sign');
  });
});
