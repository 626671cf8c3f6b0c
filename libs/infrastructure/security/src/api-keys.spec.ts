import { describe, expect, it } from '@jest/globals';
import { ApiKeys } from './api-keys.ts';

describe('ApiKeys', () => {
  it('admits everybody while no key is configured', () => {
    const keys = new ApiKeys([]);
    expect([keys.open, keys.admits(undefined), keys.admits('Bearer anything')]).toEqual([true, true, true]);
  });

  const keys = new ApiKeys(['first-key', 'second-key']);

  it.each([
    ['Bearer first-key', true],
    ['bearer  second-key ', true],
    ['Bearer first-ke', false],
    ['Bearer first-key2', false],
    ['Bearer first-key second-key', false],
    ['Basic first-key', false],
    ['first-key', false],
    ['Bearer ', false],
    ['', false],
    [undefined, false],
  ])('with keys, %j is admitted: %s', (header, admitted) => {
    expect(keys.admits(header)).toBe(admitted);
  });

  it('holds no key in a readable form', () => {
    expect(JSON.stringify(keys)).not.toContain('first');
  });
});
