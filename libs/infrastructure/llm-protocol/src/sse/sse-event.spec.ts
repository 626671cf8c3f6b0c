import { describe, expect, it } from '@jest/globals';
import { timedOnThread } from '@morgan/testing';
import { SseEvent } from './sse-event.ts';

const mended = (text: string) => new SseEvent(Buffer.from(text)).mended()?.map(({ raw }) => raw.toString());

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
    [
      'the first of which takes lines of its own',
      'data: {"a":\ndata: 1}\ndata: {"b":2}\n\n',
      ['data: {"a": 1}\n\n', 'data: {"b":2}\n\n'],
    ],
    ['and one of them cut', 'data: {"a":1}\ndata: {"b":\n\n', undefined],
    ['that are one', 'data: {"a":\ndata: 1}\n\n', undefined],
    ['that are one text', 'data: {"a":"}\\ndata: {"}\n\n', undefined],
    ['that are none', ': hi\n\n', undefined],
    ['of which there are too many', `${'data: {}\n'.repeat(10_001)}\n`, undefined],
  ])('%s', (_, text, events) => {
    expect(mended(text)).toEqual(events);
  });
});

describe('control characters in texts', () => {
  it.each<[string, string, string[] | undefined]>([
    ['are escaped', 'data: {"a":"\t\0\\"b"}\n\n', ['data: {"a":"\\u0009\\u0000\\"b"}\n\n']],
    [
      'are line ends, too',
      'data: {"a":"b\ndata: c",\ndata: "d":1}\n\n',
      ['data: {"a":"b\\u000ac", "d":1}\n\n'],
    ],
    [
      'are in one of several events',
      'data: {"a":"\t"}\ndata: {"b":1}\n\n',
      ['data: {"a":"\\u0009"}\n\n', 'data: {"b":1}\n\n'],
    ],
    ['are not all that is wrong', 'data: {"a":"\t\n\n', undefined],
    ['are nothing that was meant between texts', 'data: {"a":\u0001}\n\n', undefined],
  ])('%s', (_, text, events) => {
    expect(mended(text)).toEqual(events);
  });
});

describe('numbers that JSON has no word for', () => {
  it.each<[string, string, string[] | undefined]>([
    ['become null', 'data: {"a":[NaN,-Infinity],"b":Infinity}\n\n', ['data: {"a":[null,null],"b":null}\n\n']],
    [
      'stay in texts',
      'event: e\ndata: {"a":NaN,"b":"NaN \\" -Infinity"}\n\n',
      ['event: e\ndata: {"a":null,"b":"NaN \\" -Infinity"}\n\n'],
    ],
    ['are no names', 'data: {"a":NaNs}\n\n', undefined],
    ['are not all that is wrong', 'data: {"a":NaN,"b":"\n\n', undefined],
    ['are no events', 'data: NaN\n\n', undefined],
  ])('%s', (_, text, events) => {
    expect(mended(text)).toEqual(events);
  });

  it('are looked for in a time that grows with the length of the event only', () => {
    const text = `data: {"a":NaN,"b":"${'\\"'.repeat(500_000)}\n\n`;
    const { result, ms } = timedOnThread(() => mended(text));
    expect(result).toBeUndefined();
    expect(ms).toBeLessThan(2_000);
  });
});

describe('an event of lines', () => {
  it('has a hundred thousand at most: each takes time', () => {
    const dataOf = (lines: number) => new SseEvent(Buffer.from(`${'data:\n'.repeat(lines)}\n`)).data;
    expect(dataOf(90_000)).toHaveLength(90_000 - 1);
    expect(() => dataOf(100_000)).toThrow('100000 lines');
  });
});
