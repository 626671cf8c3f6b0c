import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { retryAfterMs } from './retry-after.ts';

describe('retryAfterMs', () => {
  beforeEach(() => void jest.useFakeTimers({ now: Date.UTC(2026, 10, 23, 12, 0, 0) }));
  afterEach(() => void jest.useRealTimers());

  it.each([
    ['7', 7000],
    ['0', 0],
    ['1.5', 1500],
    [' 2 ', 2000],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Monday, 23-Nov-26 12:00:30 GMT', 30_000],
    ['Mon Nov 23 12:00:30 2026', 30_000],
    ['Mon, 23 Nov 2026 11:59:00 GMT', 0],
    ['9'.repeat(400), Number.MAX_SAFE_INTEGER],
    ['-7', undefined],
    ['soon', undefined],
    ['Monday', undefined],
    ['2026-11-23T12:00:30Z', undefined],
    ['', undefined],
  ])('retry-after: %s is %p ms', (value, ms) => {
    expect(retryAfterMs({ 'retry-after': value })).toBe(ms);
  });

  it('prefers retry-after-ms, unless it makes no sense', () => {
    expect(retryAfterMs({ 'retry-after-ms': '1250.2', 'retry-after': '2' })).toBe(1251);
    expect(retryAfterMs({ 'retry-after-ms': 'x', 'retry-after': '2' })).toBe(2000);
  });

  it('reads headers of fetch', () => {
    expect(retryAfterMs(new Headers({ 'Retry-After': '3' }))).toBe(3000);
    expect(retryAfterMs(new Headers())).toBeUndefined();
  });

  it('takes a repeated header for none', () => {
    expect(retryAfterMs({ 'retry-after': ['1', '2'] })).toBeUndefined();
  });
});

it('reads a date without a zone as GMT, wherever the process runs', async () => {
  const source = new URL('./retry-after.ts', import.meta.url).href;
  const program = `
    import { retryAfterMs } from '${source}';
    const [zoned, bare] = ['Fri, 01 Jan 2100 00:00:00 GMT', 'Fri Jan  1 00:00:00 2100'];
    console.log(Math.round((retryAfterMs({ 'retry-after': zoned }) - retryAfterMs({ 'retry-after': bare })) / 1e4));
  `;
  const env = { ...process.env, TZ: 'Asia/Tokyo' };
  const flags = ['--no-warnings', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env });
  expect(stdout).toBe('0\n');
});
