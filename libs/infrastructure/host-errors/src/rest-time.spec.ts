import { describe, expect, it } from '@jest/globals';
import { restTimeMs } from './rest-time.ts';

describe('restTimeMs', () => {
  it.each([
    [{ 'retry-after': '20' }, 20_000],
    [{ 'retry-after-ms': '250', 'retry-after': '20' }, 250],
    [{ 'x-ratelimit-reset-requests': '1s' }, 1_000],
    [{ 'x-ratelimit-reset-tokens': '6m0s' }, 360_000],
    [{ 'x-ratelimit-reset-requests': '20ms' }, 20],
    [{ 'x-ratelimit-reset': '12.5' }, 12_500],
    [
      {
        'x-ratelimit-remaining-requests': '7',
        'x-ratelimit-reset-requests': '1h',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '2s',
      },
      2_000,
    ],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': '30s' }, 30_000],
    [{ 'retry-after': '1m30s' }, 90_000],
    [{ 'retry-after': '30 seconds' }, 30_000],
    [{ 'retry-after': '2 minutes and 3 seconds' }, 123_000],
    [{ 'retry-after': '30, 60' }, 60_000],
    [{ 'retry-after': '0', 'x-ratelimit-reset-requests': '1s' }, 1_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': 'Mon, 23 Nov 2020 12:00:00 GMT', 'x-ratelimit-reset': '7' }, 7_000],
    [{ 'x-rate-limit-reset': '9' }, 9_000],
    [{ 'ratelimitbysize-remaining': '0', 'ratelimitbysize-reset': '42' }, 42_000],
    [{ 'x-ratelimitbysize-remaining-minute': '7', 'x-ratelimitbysize-reset-minute': '42' }, undefined],
    [{ 'x-ratelimit-reset-after': '1.5', 'x-ratelimit-remaining': '0' }, 1_500],
    [{ 'x-ratelimit-reset-after': '1.5', 'x-ratelimit-remaining': '3' }, undefined],
    [{ ratelimit: 'limit=100, remaining=0, reset=30' }, 30_000],
    [{ ratelimit: '"a";r=5;t=60, "b";r=0;t=3600' }, 3_600_000],
    [{ ratelimit: '"a";r=5;t=60' }, undefined],
    [
      {
        'anthropic-ratelimit-unified-5h-status': 'rejected',
        'anthropic-ratelimit-unified-5h-reset': '30',
        'anthropic-ratelimit-unified-7d-status': 'allowed_warning',
        'anthropic-ratelimit-unified-7d-reset': '90000',
      },
      30_000,
    ],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': '-5', 'x-ratelimit-reset-requests': '1s' }, 1_000],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'x-ratelimit-reset-requests': 'soon' }, undefined],
    [{ 'x-ratelimit-reset-requests': '' }, undefined],
    [{}, undefined],
  ])('reads %j as %p', (headers, expected) => expect(restTimeMs(headers)).toBe(expected));

  it('reads moments, in seconds since 1970 and as a date', () => {
    const soon = Date.now() + 30_000;
    for (const headers of [
      { 'ratelimit-reset': String(Math.ceil(soon / 1_000)) },
      { 'retry-after': String(Math.ceil(soon / 1_000)) },
      { 'retry-after': new Date(soon).toISOString() },
      { 'x-ratelimit-reset': String(soon) },
      {
        'anthropic-ratelimit-requests-remaining': '0',
        'anthropic-ratelimit-requests-reset': new Date(soon).toISOString(),
      },
    ]) {
      expect(restTimeMs(headers)).toBeGreaterThan(25_000);
      expect(restTimeMs(headers)).toBeLessThanOrEqual(31_000);
    }
  });

  it.each([
    ['a date', (at: number) => ({ 'retry-after': new Date(at).toUTCString() })],
    ['a moment', (at: number) => ({ 'retry-after': new Date(at).toISOString() })],
    ['seconds since 1970', (at: number) => ({ 'x-ratelimit-reset': String(Math.ceil(at / 1_000)) })],
  ])('reads %s on the clock of a host that is an hour ahead, or behind', (_, headersAt) => {
    for (const skew of [-3_600_000, 3_600_000]) {
      const there = Date.now() + skew;
      const ms = restTimeMs({ date: new Date(there).toUTCString(), ...headersAt(there + 30_000) });
      expect(ms).toBeGreaterThan(25_000);
      expect(ms).toBeLessThanOrEqual(32_000);
    }
  });

  it('knows a reset of what is not used up from the end of a limit', () => {
    const reset = { 'x-ratelimit-reset-requests': '9s' };
    expect(restTimeMs(reset, '', false)).toBeUndefined();
    expect(restTimeMs({ ...reset, 'x-ratelimit-remaining-requests': '0' }, '', false)).toBe(9_000);
    expect(restTimeMs({ ...reset, 'retry-after': '2' }, '', false)).toBe(2_000);
  });

  it('takes the longest time where proxies have added a header each', () => {
    expect(restTimeMs({ 'retry-after': ['5', '20'] as unknown as string })).toBe(20_000);
  });

  it('finds a moment in a message, where that says in which zone it is', () => {
    const soon = new Date(Date.now() + 30_000).toISOString().slice(0, 19).replace('T', ' ');
    const ms = restTimeMs({}, `Limit type: requests. Limit resets at: ${soon} UTC`);
    expect(ms).toBeGreaterThan(25_000);
    expect(ms).toBeLessThanOrEqual(30_000);
    expect(restTimeMs({}, `Your limit will reset at ${soon}`)).toBeUndefined();
  });

  it.each([
    ['Rate limit reached. Please try again in 1.5s.', 1_500],
    ['Please retry after 20 seconds', 20_000],
    ['try again in 300ms', 300],
    ['try again in 2 minutes', 120_000],
    ['Please try again in 7m12.5s. Need more tokens?', 432_500],
    ['Please try again in 1h2m3s.', 3_723_000],
    ['Please retry in 24.683927s.', 24_684],
    ['Try again in about 2 hours', 7_200_000],
    ['Rate limit of 50 per 86400s exceeded. Please wait 812 seconds before retrying.', 812_000],
    ['[429]: {…} (reset after 2m 13s)', 133_000],
    ['Please try again in 1 day.', 86_400_000],
    ['Retry your request after 60 secs', 60_000],
    ['Request was throttled. Expected available in 15 seconds.', 15_000],
    ['try again later', undefined],
    ['try again in 3 moments', undefined],
  ])('finds the time in %j', (message, expected) => expect(restTimeMs({}, message)).toBe(expected));
});
