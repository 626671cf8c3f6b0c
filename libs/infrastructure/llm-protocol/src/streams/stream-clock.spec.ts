import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StreamClock } from './stream-clock.ts';

const LIMITS = { firstContentMs: 1_000, stallMs: 100, finishMs: 20, maxEventBytes: 1 };

let late: string[];
let clock: StreamClock;

beforeEach(() => {
  jest.useFakeTimers();
  late = [];
  clock = new StreamClock(LIMITS, performance.now(), ({ reason }) => late.push(reason));
});
afterEach(() => {
  clock.stop();
  const timersLeft = jest.getTimerCount();
  jest.useRealTimers();
  expect(timersLeft).toBe(0);
});

/** Nothing is late a millisecond before that. */
function expectLate(reason: string, afterMs: number): void {
  jest.advanceTimersByTime(afterMs - 1);
  expect(late).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(late).toEqual([reason]);
}

describe('the clock of a stream', () => {
  it('waits for the first content from the request on, whatever comes before', () => {
    jest.advanceTimersByTime(900);
    clock.progress();
    expectLate('first_content_timeout', 100);
  });

  it('counts silence from the last event on', () => {
    clock.enter('content');
    jest.advanceTimersByTime(99);
    clock.progress();
    expectLate('stalled', 100);
  });

  it('counts it anew where the reader has taken its time', () => {
    clock.enter('content');
    clock.pause();
    jest.advanceTimersByTime(10_000);
    clock.resume();
    expectLate('stalled', 100);
  });

  it('waits for less behind the last choice', () => {
    clock.enter('content');
    jest.advanceTimersByTime(50);
    clock.progress();
    clock.enter('finished');
    expectLate('stalled', 20);
  });
});
