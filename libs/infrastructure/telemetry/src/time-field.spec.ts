import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import { timeField } from './time-field.ts';

describe('the time of a log line', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it.each([
    '2026-01-02T03:04:05.006Z',
    '2026-01-02T03:04:05.067Z',
    '2026-01-02T03:04:05.999Z',
    '2026-12-31T23:59:59.000Z',
  ])('is that of pino at %s', (time) => {
    jest.setSystemTime(new Date(time));
    expect(timeField()).toBe(pino.stdTimeFunctions.isoTime());
    expect(JSON.parse(`{"level":"info"${timeField()}}`)).toEqual({ level: 'info', time });
  });
});
