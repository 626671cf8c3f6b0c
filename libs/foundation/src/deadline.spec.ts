import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Deadline } from './deadline.ts';

describe('a deadline', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('counts down on the monotonic clock and stops at zero', () => {
    const deadline = Deadline.after(100);
    jest.advanceTimersByTime(40);
    expect([deadline.remainingMs(), deadline.passed]).toEqual([60, false]);
    jest.advanceTimersByTime(70);
    expect([deadline.remainingMs(), deadline.passed]).toEqual([0, true]);
  });

  it('is not moved when the wall clock is set', () => {
    const deadline = Deadline.after(100);
    jest.setSystemTime(Date.now() + 3_600_000);
    expect(deadline.remainingMs()).toBe(100);
  });

  it('allows waits that end before it', () => {
    const deadline = Deadline.after(100);
    expect([deadline.allows(99), deadline.allows(100)]).toEqual([true, false]);
  });

  it('is compared with another that may be missing', () => {
    const [near, far] = [Deadline.after(10), Deadline.after(20)];
    expect(Deadline.nearest(far, near)).toBe(near);
    expect(Deadline.nearest(undefined, far)).toBe(far);
    expect(Deadline.nearest(near, undefined)).toBe(near);
    expect(Deadline.nearest(undefined, undefined)).toBeUndefined();
  });
});
