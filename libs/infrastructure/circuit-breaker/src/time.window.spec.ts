import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { TimeWindow } from './time.window.ts';

describe('the time window', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('holds every call of the last nine tenths, and none older than the whole', () => {
    const step = fc.record({ waitMs: fc.integer({ min: 0, max: 400 }), failed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const window = new TimeWindow(1_000);
        const seen: { at: number; failed: boolean }[] = [];
        for (const { waitMs, failed } of steps) {
          jest.advanceTimersByTime(waitMs);
          const now = performance.now();
          seen.push({ at: now, failed });
          const { calls, failures } = window.add(failed);
          const younger = (ms: number) => seen.filter(({ at }) => now - at < ms);
          expect(calls).toBeGreaterThanOrEqual(younger(900).length);
          expect(calls).toBeLessThanOrEqual(younger(1_000).length);
          expect(failures).toBeGreaterThanOrEqual(younger(900).filter((call) => call.failed).length);
          expect(failures).toBeLessThanOrEqual(younger(1_000).filter((call) => call.failed).length);
        }
      }),
    );
  });

  it('lets a call go at the very moment at which it is as old as the window', () => {
    const window = new TimeWindow(1_000);
    window.count('success');
    jest.advanceTimersByTime(950);
    expect(window.totals().success).toBe(1);
    jest.advanceTimersByTime(50);
    expect(window.totals().success).toBe(0);
  });

  it('is empty after a long silence, and has no timer', () => {
    const window = new TimeWindow(1_000);
    window.count('failure');
    window.count('slow');
    window.count('rejected');
    expect(window.totals()).toEqual({ success: 0, failure: 1, slow: 1, rejected: 1 });
    jest.advanceTimersByTime(1e9);
    expect(window.totals()).toEqual({ success: 0, failure: 0, slow: 0, rejected: 0 });
    expect(jest.getTimerCount()).toBe(0);
  });
});
