import { createHook } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { collectGarbage } from '@morgan/foundation';
import { keepTickShape } from './tick-shape.ts';

/** The objects that `process.nextTick` makes meanwhile, none of them held. */
function ticksOf(work: () => void): WeakRef<object>[] {
  const ticks: WeakRef<object>[] = [];
  const init = (_id: number, type: string, _trigger: number, resource: object) => {
    if (type === 'TickObject') ticks.push(new WeakRef(resource));
  };
  const hook = createHook({ init }).enable();
  work();
  hook.disable();
  return ticks;
}

describe('the shape of a tick', () => {
  it('outlives a collection of everything, as one such object does', async () => {
    const passing = ticksOf(() => process.nextTick(() => undefined));
    const kept = ticksOf(keepTickShape);
    // What a reference was made to is held until the turn is over.
    await turn();
    collectGarbage();
    expect([passing.length, kept.length]).toEqual([1, 1]);
    expect(passing[0]?.deref()).toBeUndefined();
    expect(kept[0]?.deref()).toBeDefined();
  });
});
