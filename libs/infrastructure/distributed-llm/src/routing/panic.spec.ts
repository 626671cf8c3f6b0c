import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Host } from '../hosts/host.ts';
import { Panic } from './panic.ts';

const host = {} as Host;
const other = {} as Host;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Begins calls while there is room. @returns how many. */
function begin(panic: Panic, end = true): number {
  let begun = 0;
  while (panic.hasRoom(host) && begun < 1_000) {
    panic.started(host);
    if (end) panic.ended(host);
    begun += 1;
  }
  return begun;
}

describe('a panic', () => {
  it('lets so many calls be at a host at a time', () => {
    const panic = new Panic({ share: 1, concurrency: 3, maxPerSecond: 1_000 });
    expect(begin(panic, false)).toBe(3);
    expect(panic.hasRoom(other)).toBe(true);
    panic.ended(host);
    expect(begin(panic, false)).toBe(1);
  });

  it('lets so many begin in a second where each fails at once', () => {
    const panic = new Panic({ share: 1, concurrency: 3, maxPerSecond: 20 });
    expect(begin(panic)).toBe(20);
    jest.advanceTimersByTime(250);
    expect(begin(panic)).toBe(5);
    jest.advanceTimersByTime(60_000);
    expect(begin(panic)).toBe(20);
    expect(panic.hasRoom(other)).toBe(true);
  });

  it('lets a share of calls try', () => {
    const panic = new Panic({ share: 0.3, concurrency: 1, maxPerSecond: 1 }, () => 0.3);
    expect(panic.lets()).toBe(false);
    expect(new Panic({ share: 0.31, concurrency: 1, maxPerSecond: 1 }, () => 0.3).lets()).toBe(true);
  });
});
