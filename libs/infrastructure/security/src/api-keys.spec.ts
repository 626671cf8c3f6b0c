import { describe, expect, it } from '@jest/globals';
import { timedOnThread } from '@morgan/testing';
import { ApiKeys } from './api-keys.ts';

describe('ApiKeys', () => {
  it('admits everybody while no key is configured', () => {
    const keys = new ApiKeys([]);
    expect([keys.open, keys.identify([]), keys.identify(['authorization', 'Bearer anything'])]).toEqual([
      true,
      '',
      '',
    ]);
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
  ])('with keys, %j as authorization is admitted: %s', (header, admitted) => {
    expect(keys.identify(['authorization', header]) !== undefined).toBe(admitted);
  });

  it.each([
    [[], false],
    [['x-api-key', 'first-key'], true],
    [['Api-Key', 'second-key'], true],
    [['x-api-key', 'Bearer first-key'], false],
    [['x-api-key', 'wrong'], false],
    [['x-other-key', 'first-key'], false],
    [['authorization', 'Basic cHJveHk6cHc=', 'x-api-key', 'first-key'], true],
    [['authorization', 'Bearer first-key', 'x-api-key', 'first-key', 'api-key', 'first-key'], true],
    [['authorization', 'Bearer first-key', 'x-api-key', 'second-key'], false],
    [['authorization', 'Bearer wrong', 'x-api-key', 'first-key'], false],
    [['x-api-key', 'first-key', 'x-api-key', 'wrong'], false],
    [['Authorization', 'Bearer first-key', 'authorization', 'Bearer second-key'], false],
    [['x-api-key', '', 'authorization', 'Bearer first-key'], true],
    [['x-api-key', 'first-key', 'authorization', 'Basic cHJveHk6cHc='], true],
  ])('with the headers %j it admits: %s', (rawHeaders, admitted) => {
    expect(keys.identify(rawHeaders) !== undefined).toBe(admitted);
  });

  it('tells keys apart without naming them', () => {
    const names = ['first-key', 'second-key'].map((key) => keys.identify(['x-api-key', key]));
    // As `printf %s KEY | sha256sum | cut -c-8` says.
    expect(names).toEqual(['9e24b553', 'f397f260']);
  });

  it('means the same caller by a name wherever its key stands in the list', () => {
    const sent = ['x-api-key', 'second-key'];
    const other = new ApiKeys(['new-key', 'second-key', 'first-key']);
    expect(other.identify(sent)).toBe(keys.identify(sent));
    expect(other.identify(['x-api-key', 'new-key'])).not.toBe(keys.identify(['x-api-key', 'first-key']));
  });

  it.each([
    [[], 1],
    [['first-key'], 1],
    [['first-key', 'first-key', 'second-key'], 2],
  ])('of %j tells %d callers apart', (configured, count) => {
    expect(new ApiKeys(configured).callers).toBe(count);
  });

  it('admits other keys from the moment on that it is given them, and their old ones no more', () => {
    const changing = new ApiKeys(['old-key', 'kept-key']);
    const admits = (key: string) => changing.identify(['x-api-key', key]) !== undefined;
    expect(['old-key', 'kept-key', 'new-key'].map(admits)).toEqual([true, true, false]);
    changing.replace(['kept-key', 'new-key', 'other-key']);
    expect(['old-key', 'kept-key', 'new-key'].map(admits)).toEqual([false, true, true]);
    expect(changing.callers).toBe(3);
  });

  it.each([
    ['none', ['a-key'], []],
    ['some, where none was needed', [], ['a-key']],
  ])('takes no %s in place of its keys', (_, before, after) => {
    const changing = new ApiKeys(before);
    expect(() => changing.replace(after)).toThrow(RangeError);
    expect(changing.open).toBe(before.length === 0);
  });

  it('refuses a wrong key in the time that it takes with a few, however many there are', () => {
    const many = new ApiKeys(Array.from({ length: 50_000 }, (_, index) => `a-key-of-many-${index}`));
    const { result, ms } = timedOnThread(() =>
      Array.from({ length: 200 }, (_, guess) => many.identify(['x-api-key', `guess-${guess}`])),
    );
    expect(new Set(result)).toEqual(new Set([undefined]));
    expect(ms).toBeLessThan(500);
    expect(many.identify(['x-api-key', 'a-key-of-many-49999'])).toBeDefined();
  });

  it('holds no key in a readable form', () => {
    expect(JSON.stringify(keys)).not.toContain('first');
  });
});
