import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { timedOnThread } from '@morgan/testing';
import { SseEvent } from '../sse/sse-event.ts';
import { chatDialect } from './chat.dialect.ts';
import { EventReader } from './event-reader.ts';
import { EventTemplate } from './event-template.ts';
import { messagesDialect } from './messages.dialect.ts';

const event = (raw: string) => new SseEvent(Buffer.from(raw));
const chunk = (content: string, rest = '') =>
  `data: {"id":"c","choices":[{"index":0,"delta":{"content":${content}},"finish_reason":null}]${rest}}\n\n`;

describe('EventReader', () => {
  it('reads the texts of a stream as parsing does, escaped or not', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1 })), (texts) => {
        const reader = new EventReader(chatDialect);
        const expected = texts.map((text) => Buffer.from(text).toString());
        expect(texts.map((text) => reader.read(event(chunk(JSON.stringify(text)))).text)).toEqual(expected);
      }),
    );
  });

  it('sees what differs in anything but the text', () => {
    const reader = new EventReader(chatDialect);
    reader.read(event(chunk('"a"')));
    expect(reader.read(event(chunk('"a"', ',"usage":{"prompt_tokens":1}')))).toMatchObject({
      usage: { input: 1 },
    });
    expect(reader.read(event(chunk('"a"').replace('null', '"stop"')))).toMatchObject({ finished: 1 });
    expect(reader.read(event(chunk('"a","x":"b"')))).toMatchObject({ text: 'a', isMalformed: false });
    expect(reader.read(event(chunk('"a" "b"')))).toMatchObject({ isMalformed: true });
    expect(reader.read(event(chunk('"a\\q"')))).toMatchObject({ isMalformed: true });
    expect(reader.read(event(chunk('"a\tb"')))).toMatchObject({ isMalformed: true });
    expect(reader.read(event(chunk('"ab').slice(0, 60) + '\n\n'))).toMatchObject({ isMalformed: true });
    expect(reader.read(event(chunk('""')))).toMatchObject({ content: undefined });
  });

  it('reads an event of megabytes in about the time that parsing takes', () => {
    const raw = chunk(JSON.stringify('слово и ещё '.repeat(200_000)));
    const best = (work: () => unknown) =>
      Math.min(...Array.from({ length: 5 }, () => timedOnThread(work).ms));
    const parsing = best(() => JSON.parse(Buffer.from(raw).toString('utf8', 6)) as unknown);
    expect(best(() => new EventReader(chatDialect).read(event(raw)))).toBeLessThan(1.7 * parsing);
  });

  it("reads Anthropic's events, with their names", () => {
    const reader = new EventReader(messagesDialect);
    const delta = (text: string) =>
      `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}}\n\n`;
    expect(['a', 'b', 'ü'].map((text) => reader.read(event(delta(text))).text)).toEqual(['a', 'b', 'ü']);
  });
});

describe('an error in a stream', () => {
  const OTHER_API = 'No such path at the host: it answered in another API.';
  const reading = (raw: string) => new EventReader(chatDialect).read(event(raw)).error?.message;

  it.each([
    ['event: error\ndata: {"message":"no"}\n\n', 'no'],
    ['event: error\ndata: {"code":"200","message":"no"}\n\n', 'no'],
    ['event: error\ndata: no\n\n', 'no'],
    ['event: error\ndata: {}\n\n', 'The host gave no answer, and did not say why.'],
    ['data: {"error_code":17,"error_msg":"no"}\n\n', 'no'],
    ['data: {"success":false,"msg":"no"}\n\n', 'no'],
    ['data: {"base_resp":{"status_code":1008,"status_msg":"no"}}\n\n', 'no'],
    ['data: {"choices":null,"base_resp":{"status_code":1008,"status_msg":"no"}}\n\n', 'no'],
    ['data: [{"error":{"message":"no"}}]\n\n', 'no'],
    ['\r\n {"error":\n {"message":"no"}}\n\n', 'no'],
    ['error: {"code":500,"message":"no","type":"server_error"}\n\n', 'no'],
    ['data: {"type":"message_start","message":{}}\n\n', OTHER_API],
    ['data: {"type":"response.created","response":{}}\n\n', OTHER_API],
    ['error: no\n\n', 'no'],
    ['data: {"message":"no","type":"server_error","code":"x"}\n\n', 'no'],
    ['data: {"message":"no","type":"internal_error"}\n\n', 'no'],
    ['data: {"status":500,"message":"no"}\n\n', 'no'],
    ['data: {"code":20012,"message":"no","data":null}\n\n', 'no'],
    ['data: {"id":"c1","choices":[],"x_groq":{"id":"r","error":"no"}}\n\n', 'no'],
  ])('is found in %j', (raw, message) => expect(reading(raw)).toBe(message));

  it.each([
    'data: {"message":"waiting in the queue"}\n\n',
    'data: {"message":"search is done","type":"status","status":"ok"}\n\n',
    'data: {"code":0,"message":"no"}\n\n',
    'data: {"id":"c1","choices":[],"x_groq":{"id":"r","error":null}}\n\n',
    'data: {"choices":[{"index":0,"delta":{}}],"base_resp":{"status_code":0,"status_msg":"success"}}\n\n',
    'data: {"base_resp":{"status_code":0,"status_msg":"success"}}\n\n',
    'data: {"choices":[],"error_code":0,"error_msg":"success"}\n\n',
    '{"hello":"world"}\n\n',
    ': {"error":{"message":"no"}}\n\n',
  ])('is none in %j', (raw) => expect(reading(raw)).toBeUndefined());
});

describe('EventTemplate', () => {
  it('is made from JSON with spaces too', () => {
    const spaced = (text: string) =>
      Buffer.from(`data: {"choices": [{"delta": {"content": "${text}"}}]}\n\n`);
    expect(EventTemplate.of(spaced('a'), 'content', 'a')?.textIn(spaced('b'))).toBe('b');
  });

  it('is not made where the text stands in two places', () => {
    const raw = Buffer.from('data: {"delta":{"content":"a"},"copy":{"content":"a"}}\n\n');
    expect(EventTemplate.of(raw, 'content', 'a')).toBeUndefined();
  });
});
