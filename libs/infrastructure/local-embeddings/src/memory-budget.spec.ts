import { totalmem } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { batchBudget, memoryCeiling, processesWithin } from './memory-budget.ts';

const HELD = { fixedBytes: 250, inferenceBytes: 200 };

describe('the memory of the service', () => {
  it('ends at what is configured, else at the limit of the container or the machine', () => {
    expect(memoryCeiling(512)).toBe(512 * 1024 * 1024);
    expect(memoryCeiling(undefined)).toBeLessThanOrEqual(totalmem());
    expect(memoryCeiling(undefined)).toBeGreaterThan(0);
  });

  it('has room for so many processes that each has as much for its batches as for its model', () => {
    // 85 % of 2,000 less 250 is 1,450: three times 400 and a rest.
    expect(processesWithin(2_000, HELD)).toBe(3);
    expect(batchBudget(2_000, HELD, 3)).toBeGreaterThanOrEqual(HELD.inferenceBytes);
    expect(processesWithin(100, HELD)).toBe(1);
  });

  it('is never planned for beyond 85 % of it', () => {
    for (const processes of [1, 2, 3]) {
      const planned =
        HELD.fixedBytes + processes * (HELD.inferenceBytes + batchBudget(2_000, HELD, processes));
      expect(planned).toBeCloseTo(1_700);
    }
  });
});
