import { describe, expect, it } from '@jest/globals';
import type { Seen } from './caller.ts';
import { missesOf } from './verdict.ts';

const STREAM = 'data: {"choices":[{"delta":{"content":"hello"}}]}\n\n';
const seen = (changes: Partial<Seen> = {}): Seen => ({
  caller: '#1',
  at: 0,
  tookMs: 50,
  status: 200,
  host: 'a',
  retryAfterS: undefined,
  text: '{"content":"hello"}',
  end: 'clean',
  ...changes,
});
const GOOD = { withinMs: 1_000, attempts: 2 };
const FULL = { ...GOOD, status: 429, says: /slow down/, retryAfterS: [1, 7] as const };
const full = seen({ status: 429, text: 'Please slow down.', retryAfterS: 7 });

describe('the verdict about a call', () => {
  it('finds nothing wrong with what was promised', () => {
    expect(missesOf(seen(), 2, GOOD)).toEqual([]);
    expect(missesOf(seen({ text: `${STREAM}data: [DONE]\n\n` }), 1, GOOD)).toEqual([]);
    expect(missesOf(full, 1, FULL)).toEqual([]);
  });

  it.each<[string, Partial<Seen>, number]>([
    ['a call that hung', { end: 'hung', status: 0 }, 1],
    ['one that took too long', { tookMs: 1_001 }, 1],
    ['too many attempts', {}, 3],
    ['a refusal', { status: 500 }, 1],
    ['a broken answer', { end: 'broken' }, 1],
    ['an answer without content', { text: '{}' }, 1],
    ['a stream without its end', { text: STREAM }, 1],
  ])('finds %s', (_, changes, attempts) => {
    expect(missesOf(seen(changes), attempts, GOOD)).not.toEqual([]);
  });

  it('finds another status, other words and another retry-after than promised', () => {
    expect(missesOf({ ...full, status: 503 }, 1, FULL)).toHaveLength(1);
    expect(missesOf({ ...full, text: 'No.' }, 1, FULL)).toHaveLength(1);
    expect(missesOf({ ...full, retryAfterS: 8 }, 1, FULL)).toHaveLength(1);
    expect(missesOf({ ...full, retryAfterS: undefined }, 1, FULL)).toHaveLength(1);
  });
});
