import { describe, expect, it } from '@jest/globals';
import type { Seen } from '../caller.ts';
import { DONE, streamResponse } from './stream-responses.ts';
import { missesOfStream } from './stream-verdict.ts';

const { events, whole } = streamResponse('text', { id: 'c1', model: 'm' });
const FAILED = 'data: {"error":{"message":"It broke off.","code":"stream_interrupted"}}\n\n';
const USAGE = 'data: {"id":"c1","choices":[],"usage":{"total_tokens":3}}\n\n';

const seen = (text: string, end: Seen['end']): Seen => ({
  caller: '#1',
  at: 0,
  tookMs: 5,
  status: 200,
  host: 'a',
  retryAfterS: undefined,
  text,
  end,
});
const complete = events.join('');
const part = events.slice(0, 4).join('');

describe('the verdict about a stream', () => {
  it('takes a whole answer, and a part that shows as broken', () => {
    expect(missesOfStream(seen(complete + DONE, 'clean'), { whole, isWhole: true })).toEqual([]);
    expect(missesOfStream(seen(part + FAILED, 'broken'), { whole, isWhole: false })).toEqual([]);
  });

  it.each<[string, string, Seen['end']]>([
    ['no end marker', complete, 'clean'],
    ['a broken transfer', complete + DONE, 'broken'],
    ['a part', part + DONE, 'clean'],
    ['a text that comes twice', events.slice(0, 3).join('') + events.slice(1).join('') + DONE, 'clean'],
    ['a second role', (events[0] as string) + complete + DONE, 'clean'],
    ['another id', part + events.slice(4).join('').replaceAll('c1', 'c2') + DONE, 'clean'],
    ['two reasons to stop', complete + (events.at(-1) as string) + DONE, 'clean'],
    ['counts that nobody asked for', complete + USAGE + DONE, 'clean'],
    ['an error', complete + FAILED + DONE, 'clean'],
    ['an event that cannot be read', `${complete}data: {"choi\n\n${DONE}`, 'clean'],
  ])('refuses a whole answer with %s', (_, text, end) => {
    expect(missesOfStream(seen(text, end), { whole, isWhole: true })).not.toEqual([]);
  });

  it.each<[string, string, Seen['end']]>([
    ['a clean end', part + FAILED, 'clean'],
    ['no error event', part, 'broken'],
    ['an end marker', part + FAILED + DONE, 'broken'],
    ['a reason to stop', part + (events.at(-1) as string) + FAILED, 'broken'],
    ['all of it', complete + FAILED, 'broken'],
    ['something else', part.replace('quick', 'slow') + FAILED, 'broken'],
  ])('refuses a part with %s', (_, text, end) => {
    expect(missesOfStream(seen(text, end), { whole, isWhole: false })).not.toEqual([]);
  });
});

describe('a streamed answer', () => {
  it.each(['text', 'tool-call', 'structured'] as const)('is the same %s however it is cut', (kind) => {
    const style = { id: 'c', model: 'm' };
    const [one, two] = [streamResponse(kind, style), streamResponse(kind, { ...style, perEvent: 2 })];
    expect(one.whole).toBe(two.whole);
    expect(one.events.length).toBeGreaterThan(two.events.length);
    for (const { events: own, tail } of [one, two])
      expect(
        missesOfStream(seen(own.join('') + (tail[1] as string), 'clean'), {
          whole: one.whole,
          isWhole: true,
        }),
      ).toEqual([]);
  });
});
