import { describe, expect, it } from '@jest/globals';
import { candidate } from '../../fixture/candidate.ts';
import { LeastLoadedStrategy } from './least-loaded.strategy.ts';

describe('least loaded', () => {
  it('names the one with the fewest calls under way for its weight', () => {
    const strategy = new LeastLoadedStrategy();
    const fleet = [
      candidate('a', { inFlight: 3 }),
      candidate('b', { inFlight: 5, weight: 2 }),
      candidate('c', { inFlight: 4 }),
    ];
    expect(strategy.choose(fleet).name).toBe('b');
  });

  it('names equals by chance', () => {
    const equals = [candidate('a'), candidate('b'), candidate('c'), candidate('busy', { inFlight: 1 })];
    const lowest = new LeastLoadedStrategy(() => 0);
    const highest = new LeastLoadedStrategy(() => 0.999);
    expect([lowest.choose(equals).name, highest.choose(equals).name]).toEqual(['c', 'a']);
  });
});
