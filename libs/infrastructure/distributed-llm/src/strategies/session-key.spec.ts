import { describe, expect, it } from '@jest/globals';
import { sessionKeyOf } from './session-key.ts';

const start = { model: 'qwen3', start: 'You help. What is a fjord?' };

describe('the key of a session', () => {
  it("is the caller's own where there is one, the surest first", () => {
    const [header, promptCacheKey, user] = ['h', 'k', 'u'];
    const all = { header, promptCacheKey, user, ...start };
    expect(sessionKeyOf(all)).toBe(sessionKeyOf({ header }));
    expect(sessionKeyOf({ ...all, header: '' })).toBe(sessionKeyOf({ promptCacheKey }));
    expect(sessionKeyOf({ user, ...start })).toBe(sessionKeyOf({ user }));
    expect(new Set([all, { promptCacheKey }, { user }, start].map(sessionKeyOf)).size).toBe(4);
  });

  it('is else how the conversation starts', () => {
    expect(sessionKeyOf(start)).toBe(sessionKeyOf({ ...start }));
    const others = [
      { ...start, model: 'llama' },
      { ...start, start: 'You help. What is a fjell?' },
      { ...start, model: undefined },
    ];
    expect(new Set([start, ...others].map(sessionKeyOf)).size).toBe(4);
  });

  it('reads at most two kilobytes of each part', () => {
    const long = (end: string) => sessionKeyOf({ ...start, start: `${'x'.repeat(2048)}${end}` });
    expect(long('a')).toBe(long('b'));
    const shorter = (end: string) => sessionKeyOf({ ...start, start: `${'x'.repeat(2047)}${end}` });
    expect(shorter('a')).not.toBe(shorter('b'));
  });

  it('does not take where one part ends for text', () => {
    expect(sessionKeyOf({ model: 'ab', start: 'c' })).not.toBe(sessionKeyOf({ model: 'a', start: 'bc' }));
  });

  it('is short, and none of the text is in it', () => {
    expect(sessionKeyOf({ header: 'secret'.repeat(1_000) })).toMatch(/^[\w-]{22}$/);
    expect(sessionKeyOf({ header: 'secret' })).not.toContain('secret');
  });

  it('is missing where nothing says what conversation it is', () => {
    expect(sessionKeyOf({})).toBeUndefined();
    expect(sessionKeyOf({ model: 'qwen3', user: '', start: '' })).toBeUndefined();
  });
});
