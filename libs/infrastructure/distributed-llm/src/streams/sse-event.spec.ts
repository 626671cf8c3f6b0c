import { describe, expect, it } from '@jest/globals';
import { SseEvent } from './sse-event.ts';

const apart = (text: string) => new SseEvent(Buffer.from(text)).apart()?.map(({ raw }) => raw.toString());

describe('events without blank lines between them', () => {
  it.each<[string, string, string[] | undefined]>([
    ['in lines of their own', 'data: {"a":1}\ndata: {"b":2}\n\n', ['data: {"a":1}\n\n', 'data: {"b":2}\n\n']],
    ['in one line', 'data: {"a":1}data: {"b":2}\n\n', ['data: {"a":1}\n\n', 'data: {"b":2}\n\n']],
    ['with the end marker', 'data:{"a":1}\r\ndata:[DONE]\r\n\r\n', ['data: {"a":1}\n\n', 'data: [DONE]\n\n']],
    [
      'with names',
      'event: a\ndata: {"type":"a"}\nevent: b\ndata: {"type":"b"}\n\n',
      ['event: a\ndata: {"type":"a"}\n\n', 'event: b\ndata: {"type":"b"}\n\n'],
    ],
    ['and one of them cut', 'data: {"a":1}\ndata: {"b":\n\n', undefined],
    ['that are one', 'data: {"a":\ndata: 1}\n\n', undefined],
    ['that are one text', 'data: {"a":"}\\ndata: {"}\n\n', undefined],
    ['that are none', ': hi\n\n', undefined],
    ['of which there are too many', `${'data: {}\n'.repeat(10_001)}\n`, undefined],
  ])('%s', (_, text, events) => {
    expect(apart(text)).toEqual(events);
  });
});

describe('an event of lines', () => {
  it('has a hundred thousand at most: each takes time', () => {
    const dataOf = (lines: number) => new SseEvent(Buffer.from(`${'data:\n'.repeat(lines)}\n`)).data;
    expect(dataOf(90_000)).toHaveLength(90_000 - 1);
    expect(() => dataOf(100_000)).toThrow('100000 lines');
  });
});
