import { afterEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { collectGarbageWhenIdle } from './idle-garbage.ts';

let timer: NodeJS.Timeout;
afterEach(() => clearInterval(timer));

describe('an idle service', () => {
  it('frees what its busy time has left behind', async () => {
    timer = collectGarbageWhenIdle(100);
    const left = new WeakRef(Array.from({ length: 2_000_000 }, (_, index) => ({ index })));
    await waitFor(() => left.deref() === undefined, { what: 'the collection' });
    expect(timer.hasRef()).toBe(false);
  });
});
