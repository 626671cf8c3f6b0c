import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { collectGarbage } from './garbage.ts';

it('frees what nothing refers to any more, old objects too', async () => {
  const left = new WeakRef(Array.from({ length: 1_000 }, () => ({})));
  // What was read through a reference in this turn stays for the rest of it.
  await turn();
  collectGarbage();
  await turn();
  collectGarbage();
  expect(left.deref()).toBeUndefined();
});
