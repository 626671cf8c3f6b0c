import { describe, expect, it } from '@jest/globals';
import { sessionKeyOf } from './session-key.ts';

const start = { model: 'qwen3', systemPrompt: 'You help.', firstUserTurn: 'What is a fjord?' };

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
      { ...start, systemPrompt: 'You jest.' },
      { ...start, firstUserTurn: 'What is a fjell?' },
      { ...start, systemPrompt: undefined },
      { ...start, firstUserTurn: undefined },
    ];
    expect(new Set([start, ...others].map(sessionKeyOf)).size).toBe(6);
  });

  it('tells conversations behind one long system prompt apart', () => {
    const systemPrompt = 'x'.repeat(50_000);
    const [one, other] = ['first', 'second'].map((firstUserTurn) =>
      sessionKeyOf({ systemPrompt, firstUserTurn }),
    );
    expect(one).not.toBe(other);
  });

  it('reads at most a kilobyte of each part', () => {
    const long = (end: string) => sessionKeyOf({ ...start, firstUserTurn: `${'x'.repeat(1024)}${end}` });
    expect(long('a')).toBe(long('b'));
    const shorter = (end: string) => sessionKeyOf({ ...start, firstUserTurn: `${'x'.repeat(1023)}${end}` });
    expect(shorter('a')).not.toBe(shorter('b'));
  });

  it('does not take where one part ends for text', () => {
    expect(sessionKeyOf({ systemPrompt: 'ab', firstUserTurn: 'c' })).not.toBe(
      sessionKeyOf({ systemPrompt: 'a', firstUserTurn: 'bc' }),
    );
  });

  it('is short, and none of the text is in it', () => {
    expect(sessionKeyOf({ header: 'secret'.repeat(1_000) })).toMatch(/^[\w-]{22}$/);
    expect(sessionKeyOf({ header: 'secret' })).not.toContain('secret');
  });

  it('is missing where nothing says what conversation it is', () => {
    expect(sessionKeyOf({})).toBeUndefined();
    expect(sessionKeyOf({ model: 'qwen3', user: '', systemPrompt: '' })).toBeUndefined();
  });
});
