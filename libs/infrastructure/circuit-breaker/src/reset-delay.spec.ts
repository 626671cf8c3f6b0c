import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { ResetDelay } from './reset-delay.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the reset delay', () => {
  const config = { resetTimeoutMs: 60_000, maxResetTimeoutMs: 300_000, resetJitter: 0 };

  it('doubles with each trip in a row, up to the cap', () => {
    const delay = new ResetDelay(config);
    expect([1, 2, 3, 4, 5].map(() => delay.next(0))).toEqual([60_000, 120_000, 240_000, 300_000, 300_000]);
    expect(delay.trips).toBe(5);
  });

  it('starts again after it was closed for as long as the wait before', () => {
    const delay = new ResetDelay(config);
    delay.next(0);
    delay.next(59_999);
    expect(delay.next(119_999)).toBe(240_000);
    expect(delay.next(240_000)).toBe(60_000);
    expect(delay.trips).toBe(1);
  });

  it('only shortens by the jitter', () => {
    const random = jest.spyOn(Math, 'random');
    const delay = new ResetDelay({ ...config, resetJitter: 0.1 });
    random.mockReturnValue(0);
    expect(delay.next(0)).toBe(60_000);
    random.mockReturnValue(1);
    expect(delay.next(0)).toBe(108_000);
  });

  it('is always between the shortest jittered wait and the cap', () => {
    const given = fc.record({
      resetTimeoutMs: fc.integer({ min: 1, max: 100_000 }),
      maxResetTimeoutMs: fc.integer({ min: 100_000, max: 1_000_000 }),
      resetJitter: fc.double({ min: 0, max: 0.9, noNaN: true }),
    });
    fc.assert(
      fc.property(
        given,
        fc.array(fc.integer({ min: 0, max: 2_000_000 }), { maxLength: 2_000, size: 'max' }),
        (limits, closed) => {
          const delay = new ResetDelay(limits);
          for (const closedMs of closed) {
            const waitMs = delay.next(closedMs);
            expect(waitMs).toBeLessThanOrEqual(limits.maxResetTimeoutMs);
            expect(waitMs).toBeGreaterThanOrEqual(limits.resetTimeoutMs * (1 - limits.resetJitter));
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});
