import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SseEvent } from './sse-event.ts';
import { SseReader } from './sse-reader.ts';

const LIMIT = 1_000;

/** The events of a body that comes in these pieces, with what is left at its end. */
function read(pieces: readonly Buffer[], limit = LIMIT): SseEvent[] {
  const events: SseEvent[] = [];
  const reader = new SseReader(limit);
  for (const piece of pieces) reader.push(piece, (event) => events.push(event));
  const rest = reader.rest();
  return rest ? [...events, rest] : events;
}

function fieldsOf(events: readonly SseEvent[]) {
  return events.map(({ data, type, id, isEmpty }) => ({ data, type, id, isEmpty }));
}

function cut(body: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (body.length + 1)).sort((a, b) => a - b), body.length];
  return sorted.slice(1).map((end, index) => body.subarray(sorted[index], end));
}

function dataOf(text: string): (string | undefined)[] {
  return read([Buffer.from(text)]).map(({ data }) => data);
}

describe('SseReader', () => {
  const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
  const line = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
    fc.constantFrom(
      '',
      'data',
      'data:x',
      ': ping',
      'event: delta',
      'id: 7',
      'retry: 10',
      '\uFEFF',
      'é: ü',
      'data: 😀',
    ),
  );
  const body = fc
    .array(fc.tuple(line, lineEnd), { maxLength: 30 })
    .map((lines) => Buffer.from(lines.flat().join('')));

  it('finds the same events wherever the body is cut, and loses no byte', () => {
    fc.assert(
      fc.property(body, fc.array(fc.nat(), { maxLength: 10 }), (bytes, places) => {
        const events = read(cut(bytes, places));
        expect(fieldsOf(events)).toEqual(fieldsOf(read([bytes])));
        expect(fieldsOf(read([...bytes].map((byte) => Buffer.of(byte))))).toEqual(fieldsOf(events));
        const joined = Buffer.concat(events.map(({ raw }) => raw)).toString();
        const unmarked = bytes.toString().replace(/^\uFEFF/, '');
        const left = unmarked.slice(joined.length);
        expect(unmarked.startsWith(joined) && /^[\r\n]*$/.test(left)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('reads every kind of line end', () => {
    expect(dataOf('data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\r\ndata: e\r\n\n')).toEqual([...'abcde']);
  });

  it('joins the lines of one event and takes one space away', () => {
    expect(dataOf('data: a\ndata:b\ndata:  c\ndata\n\n')).toEqual(['a\nb\n c\n']);
  });

  it('has comments and blank lines without data', () => {
    expect(dataOf('\n\n: ping\n\n\n\ndata: a\n\n\n')).toEqual([undefined, 'a']);
  });

  it('reads events shorter than a line of data', () => {
    expect(dataOf('\uFEFF\n\na\n\n:\n\ndata\n\ndata:\n\n')).toEqual([
      undefined,
      undefined,
      undefined,
      '',
      '',
    ]);
  });

  it('skips a byte order mark at the start only', () => {
    expect(dataOf('\uFEFFdata: a\n\n\uFEFFdata: b\n\n')).toEqual(['a', undefined]);
    expect(dataOf('\n\uFEFFdata: a\n\n')).toEqual([undefined]);
  });

  it('reads event, id and retry, and no retry or id that is none', () => {
    const [event, odd, pause, none] = read([
      Buffer.from('event: e\nid: 1\nretry: 20\ndata: a\n\nid: \0\ndata:\n\nretry: 20\n\nretry: 2s\n\n'),
    ]);
    expect(event).toMatchObject({ type: 'e', id: '1', data: 'a', isEmpty: false });
    expect(odd).toMatchObject({ id: undefined, data: '', isEmpty: true });
    expect([pause?.isEmpty, none?.isEmpty]).toEqual([true, false]);
  });

  it("reads the field 'error' of older llama.cpp as data", () => {
    expect(dataOf('error: {"code":500}\n\n')).toEqual(['{"code":500}']);
  });

  it('hands an event out at once when it ends with a carriage return', () => {
    const seen: (string | undefined)[] = [];
    const reader = new SseReader(LIMIT);
    reader.push(Buffer.from('data: a\r\n\r'), ({ data }) => seen.push(data));
    expect(seen).toEqual(['a']);
    reader.push(Buffer.from('\ndata: b\r\r'), ({ data }) => seen.push(data));
    expect(seen).toEqual(['a', 'b']);
  });

  it('gives what is left when the body ends within an event', () => {
    expect(dataOf('data: a\n\ndata: b')).toEqual(['a', 'b']);
    expect(dataOf('data: a\n\n\n')).toEqual(['a']);
  });

  it('takes an event of 3 MB in small pieces, in a time that grows with its size only', () => {
    const text = 'x'.repeat(3 * 1024 * 1024);
    const bytes = Buffer.from(`data: ${text}\n\n`);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 1024) }, (_, index) =>
      bytes.subarray(index * 1024, (index + 1) * 1024),
    );
    expect(read(pieces, 4 * 1024 * 1024)[0]?.data?.length).toBe(text.length);
  });

  it.each([
    ['whole', (bytes: Buffer) => [bytes]],
    ['in pieces', (bytes: Buffer) => cut(bytes, [10, 90, 500, 900])],
    ['without an end', (bytes: Buffer) => [bytes.subarray(0, -2)]],
  ])('stops at an event above the limit that comes %s, after the ones before it', (_, pieces) => {
    const seen: (string | undefined)[] = [];
    const reader = new SseReader(LIMIT);
    const body = Buffer.from(`data: a\n\ndata: ${'x'.repeat(LIMIT)}\n\n`);
    expect(() => pieces(body).forEach((piece) => reader.push(piece, ({ data }) => seen.push(data)))).toThrow(
      'larger than the limit of 1000 bytes',
    );
    expect(seen).toEqual(['a']);
  });

  it.each([
    ['lists', '[]', 100_000],
    ['lists in each other', '[', 100_000],
    ['objects', '{}', 100_000],
    ['values', '1', 500_000],
  ])('stops at an event of more %s than anybody means to say', (_, part, most) => {
    const reader = new SseReader(8 * 1024 * 1024);
    const seen: SseEvent[] = [];
    const push = (count: number) => {
      const event = `data: ${Array.from({ length: count }, () => part).join(part === '[' ? '' : ',')}\n\n`;
      reader.push(Buffer.from(event), (each) => seen.push(each));
    };
    push(most);
    expect(seen).toHaveLength(1);
    expect(() => push(most + 2)).toThrow(`more than ${most} times`);
    expect(seen).toHaveLength(1);
  });
});
