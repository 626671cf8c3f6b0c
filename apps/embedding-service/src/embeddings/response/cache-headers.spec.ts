import { describe, expect, it } from '@jest/globals';
import { cacheUseOf, summaryOf } from './cache-headers.ts';

describe('cache-control of a request', () => {
  it.each([
    [undefined, 'normal'],
    ['max-age=0', 'normal'],
    ['no-cache', 'no-cache'],
    ['max-age=0, No-Cache', 'no-cache'],
    ['no-cache, no-store', 'no-store'],
    ['x-no-store', 'normal'],
  ])('%s means %s', (header, use) => {
    expect(cacheUseOf(header)).toBe(use);
  });
});

describe('x-morgan-cache', () => {
  it.each([
    [['memory', 'redis'], 'hit'],
    [['memory', 'coalesced'], 'coalesced'],
    [['miss', 'miss'], 'miss'],
    [['memory', 'miss'], 'partial'],
    [['coalesced', 'miss'], 'partial'],
    [['bypass'], 'bypass'],
  ] as const)('of %j is %s', (results, summary) => {
    expect(summaryOf(results)).toBe(summary);
  });
});
