import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HalfFailures } from './half-failures.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Calls of a model, `x` for one that failed. */
function play(failures: HalfFailures, calls: string, model = 'm'): boolean {
  for (const call of calls) failures.ended(model, call === 'x');
  return failures.has(model);
}

describe('half of the calls of a model', () => {
  it.each([
    ['x.x.x.x.x', false],
    ['x.x.x.x.x.', false],
    ['.x.x.x.x.xx', true],
    ['x.x.x.x.x.x', true],
    ['x..x..x..x..x..x..x', false],
    ['xxxx....x.x.x.x', true],
  ])('of %s: %p', (calls, isSeen) => {
    expect(play(new HalfFailures(), calls)).toBe(isSeen);
  });

  it('are of the latest twenty', () => {
    const failures = new HalfFailures();
    expect(play(failures, `x${'.'.repeat(19)}${'x.'.repeat(9)}`)).toBe(false);
    expect(play(failures, 'x')).toBe(true);
  });

  it('count for ten seconds behind the latest failure, and for that model only', () => {
    const failures = new HalfFailures();
    play(failures, 'x.x.x.x.x.x');
    expect(failures.has('other')).toBe(false);
    jest.advanceTimersByTime(9_999);
    expect(failures.has('m')).toBe(true);
    jest.advanceTimersByTime(1);
    expect(failures.has('m')).toBe(false);
    expect(play(failures, '.')).toBe(false);
    expect(play(failures, 'x')).toBe(true);
  });

  it('are forgotten when twenty succeeded in a row', () => {
    const failures = new HalfFailures();
    play(failures, `xxxxxxxxxx${'.'.repeat(20)}`);
    jest.advanceTimersByTime(10_000);
    expect(failures.has('m')).toBe(false);
    // Of the latest twenty that would be six.
    expect(play(failures, 'x.x.x.x.xx')).toBe(true);
  });
});
