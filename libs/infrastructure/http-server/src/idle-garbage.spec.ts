import { afterEach, describe, expect, it } from '@jest/globals';
import { collectGarbageWhenIdle } from './idle-garbage.ts';

let timer: NodeJS.Timeout;
afterEach(() => clearInterval(timer));

/** Something large that nobody refers to any more. Resolves when it has been collected; asking meanwhile would be no idleness. */
function collected(): Promise<unknown> {
  return new Promise((resolve) => {
    const registry = new FinalizationRegistry(resolve);
    registry.register(
      Array.from({ length: 3_000_000 }, (_, index) => ({ index })),
      'collected',
    );
    // Else the registry itself would be collected before it could tell.
    timer.ref();
    Object.assign(timer, { registry });
  });
}

describe('an idle service', () => {
  it('frees what its busy time has left behind, and is kept alive by nothing', async () => {
    timer = collectGarbageWhenIdle(100);
    expect(timer.hasRef()).toBe(false);
    expect(await collected()).toBe('collected');
  });
});
