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
    ['Rate limit reached. Please try again in 1.5s.', 1_500],
    ['Please retry after 20 seconds', 20_000],
    ['try again in 300ms', 300],
    ['try again in 2 minutes', 120_000],
    ['Please try again in 7m12.5s. Need more tokens?', 432_500],
    ['Please try again in 1h2m3s.', 3_723_000],
    ['Please retry in 24.683927s.', 24_684],
    ['Try again in about 2 hours', 7_200_000],
    ['Rate limit of 50 per 86400s exceeded. Please wait 812 seconds before retrying.', 812_000],
    ['try again later', undefined],
    ['try again in 3 moments', undefined],
  ])('finds the time in %j', (message, expected) => expect(restTimeMs({}, message)).toBe(expected));
});
