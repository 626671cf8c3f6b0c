import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AppError } from '@morgan/foundation';
import { UploadPace } from './upload-pace.ts';

const WINDOW_MS = 1_000;

let refused: string[];
let reported: number[];
let isPaused: boolean;
let pace: UploadPace;

function start(minBytesPerSecond: number): void {
  const tooSlow = (bytes: number) => void reported.push(bytes);
  const options = { minBytesPerSecond, rateWindowMs: WINDOW_MS, isPaused: () => isPaused, tooSlow };
  pace = new UploadPace(options, ({ code }: AppError) => void refused.push(code));
  pace.start();
}

/** Of each window it is judged a moment later. */
const pass = (windows: number) => jest.advanceTimersByTime(windows * WINDOW_MS + 1);

beforeEach(() => {
  jest.useFakeTimers();
  [refused, reported, isPaused] = [[], [], false];
});
afterEach(() => {
  pace.stop();
  const timersLeft = jest.getTimerCount();
  jest.useRealTimers();
  expect(timersLeft).toBe(0);
});

describe('the pace of an upload', () => {
  it('is measured in each window anew: what came before does not count', () => {
    start(100);
    pace.received(100);
    pass(1);
    expect(refused).toEqual([]);
    pace.received(99);
    pass(1);
    expect([refused, reported]).toEqual([['request_timeout'], [199]]);
  });

  it('is not held against a sender whom nobody reads', () => {
    start(100);
    isPaused = true;
    pass(3);
    expect(refused).toEqual([]);
    isPaused = false;
    pass(1);
    expect(refused).toEqual(['request_timeout']);
  });

  it('has no limit where none is configured', () => {
    start(0);
    pass(100);
    expect(refused).toEqual([]);
  });
});
