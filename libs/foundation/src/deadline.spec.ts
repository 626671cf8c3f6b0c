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

  it('is a moment: what is no number is refused, and a time without an end is one', () => {
    expect(() => Deadline.after(NaN)).toThrow(RangeError);
    expect(() => Deadline.at(Number('x'))).toThrow(RangeError);
    expect(Deadline.after(Infinity).allows(1e15)).toBe(true);
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

  describe('in a header', () => {
    it('says what is left, rounded down', () => {
      const deadline = Deadline.after(100.9);
      jest.advanceTimersByTime(40);
      expect([Deadline.HEADER, deadline.toHeader()]).toEqual(['x-morgan-deadline-ms', '60']);
      jest.advanceTimersByTime(100);
      expect(deadline.toHeader()).toBe('0');
    });

    it('is the same for the next service', () => {
      expect(Deadline.fromHeader(Deadline.after(2500).toHeader())?.remainingMs()).toBe(2500);
    });

    it('never gives more than a timer can wait for', () => {
      expect(Deadline.fromHeader('9'.repeat(400))?.remainingMs()).toBe(2_147_483_647);
      expect(Deadline.after(1e12).toHeader()).toBe('2147483647');
    });

    it.each([
      ['30000.0', 30_000],
      ['1500.25', 1500.25],
    ])('may have decimals: %s', (value, ms) => {
      expect(Deadline.fromHeader(value)?.remainingMs()).toBe(ms);
    });

    it('may have passed', () => {
      expect(Deadline.fromHeader('0')?.passed).toBe(true);
    });

    it.each([undefined, '', '-5', '1.', '.5', '1,5', '1e3', '0x10', ' 5', 'soon', '5, 6', ['5', '6']])(
      'is none where it is %p',
      (value) => {
        expect(Deadline.fromHeader(value)).toBeUndefined();
      },
    );
  });
});
