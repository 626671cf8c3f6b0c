import { describe, expect, it } from '@jest/globals';
import { ResponseParser } from './response-parser.ts';

/** What came of some bytes. */
interface Read {
  readonly statuses: readonly number[];
  readonly rawHeaders?: readonly string[];
  readonly body?: string;
  readonly isWhole?: boolean;
  readonly isKept?: boolean | undefined;
  /** Behind the response. */
  readonly rest?: number;
  readonly fault?: string;
}

function read(pieces: readonly Buffer[], isHead = false): Read {
  const statuses: number[] = [];
  let rawHeaders: string[] = [];
  let body = '';
  const parser = new ResponseParser(
    {
      onHead: (head) => {
        statuses.push(head.status);
        rawHeaders = head.rawHeaders;
      },
      onBody: (bytes) => (body += bytes.toString('latin1')),
    },
    isHead,
  );
  let rest = 0;
  try {
    for (const piece of pieces) {
      if (parser.isWhole) rest += piece.length;
      else rest += piece.length - parser.push(Buffer.from(piece));
    }
  } catch (error) {
    return { statuses, fault: (error as Error).name };
  }
  parser.finish();
  return { statuses, rawHeaders, body, isWhole: parser.isWhole, isKept: parser.head?.isKept, rest };
}

const whole = { isWhole: true, isKept: true, rest: 0 };
const inChunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const chunked = (frames: string) => inChunks + frames;
const long = 'x'.repeat(1_000);

describe('a response', () => {
  it.each<[string, string, Partial<Read>]>([
    ['with a length', 'HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 4\r\n\r\nbody', { body: 'body' }],
    ['without a reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', { body: '' }],
    ['in chunks', chunked('4\r\nbody\r\nA\r\n0123456789\r\n0\r\n\r\n'), { body: 'body0123456789' }],
    ['in chunks with zeros', chunked('0004\r\nbody\r\n000\r\n\r\n'), { body: 'body' }],
    ['in large chunks', chunked(`3e8\r\n${long}\r\n3E8\r\n${long}\r\n0\r\n\r\n`), { body: long + long }],
    ['with extensions', chunked('4;a=b\r\nbody\r\n2 ; "c"\r\nok\r\n0;d\r\n\r\n'), { body: 'bodyok' }],
    ['with sizes filled up', chunked('4 \r\nbody\r\n2 \t \r\nok\r\n0   \r\n\r\n'), { body: 'bodyok' }],
    ['with trailers', chunked('4\r\nbody\r\n0\r\nA: b\r\nC: d\r\n\r\n'), { body: 'body' }],
    [
      'of several codings',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      { body: 'ok' },
    ],
    ['with no content', 'HTTP/1.1 204 No Content\r\n\r\n', { body: '' }],
    ['not modified', 'HTTP/1.1 304 Not Modified\r\nA: b\r\n\r\n', { body: '' }],
    [
      'behind hints',
      `HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
      { statuses: [103, 100, 200], body: 'ok' },
    ],
    [
      'that is kept by an older server',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
      { body: 'ok' },
    ],
    ['of an older server', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', { body: 'ok', isKept: false }],
    [
      'that is the last',
      'HTTP/1.1 200 OK\r\nConnection: upgrade, Close\r\nContent-Length: 2\r\n\r\nok',
      { body: 'ok', isKept: false },
    ],
    ['that lasts until the end', 'HTTP/1.1 200 OK\r\n\r\nall of it', { body: 'all of it', isKept: false }],
    [
      'of a coding that has no end',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nall',
      { body: 'all', isKept: false },
    ],
    [
      'with no content that may have some',
      'HTTP/1.1 204 No\r\nContent-Length: 4\r\n\r\n',
      { body: '', isKept: false },
    ],
  ])('%s is the same wherever its bytes are cut', (_, text, expected) => {
    const bytes = Buffer.from(text, 'latin1');
    const wanted = { ...whole, statuses: expected.statuses ?? [Number(text.slice(9, 12))], ...expected };
    for (let at = 0; at <= bytes.length; at += 1)
      expect([at, read([bytes.subarray(0, at), bytes.subarray(at)])]).toMatchObject([at, wanted]);
    expect(read(Array.from(bytes, (byte) => Buffer.from([byte])))).toMatchObject(wanted);
  });

  it('keeps the spelling, the order and the bytes of its headers', () => {
    const text =
      'HTTP/1.1 200 OK\r\nX-B:\t b \r\nx-a: \r\nX-B: \xfc\xff\r\n__proto__: c\r\nContent-Length:0\r\n\r\n';
    const { rawHeaders } = read([Buffer.from(text, 'latin1')]);
    expect(rawHeaders).toEqual([
      'X-B',
      'b',
      'x-a',
      '',
      'X-B',
      '\xfc\xff',
      '__proto__',
      'c',
      'Content-Length',
      '0',
    ]);
  });

  it('to HEAD has no body, whatever it says of one', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n';
    expect(read([Buffer.from(text)], true)).toMatchObject({ ...whole, body: '' });
  });

  it('ends where it says, and what comes behind it is none of it', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n';
    expect(read([Buffer.from(text)])).toMatchObject({ body: 'ok', isWhole: true, rest: 17 });
    expect(read([Buffer.from(chunked('2\r\nok\r\n0\r\n\r\nmore'))])).toMatchObject({ body: 'ok', rest: 4 });
  });

  it.each([
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbod',
    chunked('4\r\nbody\r\n0\r\n'),
    chunked('4\r\nbod'),
  ])('that is cut is not whole: %j', (text) =>
    expect(read([Buffer.from(text)])).toMatchObject({ isWhole: false }),
  );

  it.each([
    'SSH-2.0-OpenSSH',
    'http/1.1 200 OK\r\n\r\n',
    'HTTP/2.0 200 OK\r\n\r\n',
    'HTTP/1.2 200 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1 2e2 OK\r\n\r\n',
    'HTTP/1.1 9e9 OK\r\n\r\n',
    'HTTP/1.1 1e2 Continue\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 200 O\0K\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
    'HTTP/1.1 200 OK\r\nA: b\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n',
    chunked('\r\n'),
    chunked('g\r\n'),
    chunked('-1\r\n'),
    chunked('4 0\r\nbody'),
    chunked('0 x;a\r\n\r\n'),
    chunked('4\nbody\r\n'),
    chunked('4\r\nbodyX\r\n'),
    chunked('4\r\nbody\n'),
    chunked('2\r\rok'),
    chunked('11111111111111\r\n'),
    'HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding:\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding:\r\n\r\n',
    chunked('2;a\nok'),
    chunked('2;a\0\r\nok'),
    chunked('0\r\nA: b\n\r\n'),
    chunked('0\r\nA\r\n\r\n'),
    chunked('0\r\n: b\r\n\r\n'),
    chunked('0\r\nA : b\r\n\r\n'),
    chunked('0\r\nHTTP/1.1 200 OK\r\n\r\n'),
    chunked('0\r\nA: b\rC: d\r\n\r\n'),
    chunked(`1;${'x'.repeat(20_000)}`),
    chunked(`1${' '.repeat(20_000)}`),
    chunked(`0\r\nA: ${'x'.repeat(20_000)}`),
  ])('that is not HTTP is refused, wherever it is cut: %j', (text) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(read([bytes]).fault).toBe('HTTPParserError');
    expect(read(Array.from(bytes, (byte) => Buffer.from([byte]))).fault).toBe('HTTPParserError');
  });

  it('has an end to its headers, 16 KiB', () => {
    const headers = (bytes: number) =>
      `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(bytes)}\r\nContent-Length: 0\r\n\r\n`;
    expect(read([Buffer.from(headers(16_000))])).toMatchObject(whole);
    expect(read([Buffer.from(headers(16_384))]).fault).toBe('HeadersOverflowError');
    expect(read([Buffer.from(headers(99_999)).subarray(0, 20_000)]).fault).toBe('HeadersOverflowError');
  });

  it('has the chunks of one piece together, which is no copy', () => {
    const bodies: Buffer[] = [];
    const parser = new ResponseParser(
      { onHead: () => undefined, onBody: (bytes) => void bodies.push(bytes) },
      false,
    );
    const bytes = Buffer.from(chunked('3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n4\r\nfo'));
    parser.push(bytes);
    parser.push(Buffer.from('ur'));
    expect(bodies.map(String)).toEqual(['onetwothreefo', 'ur']);
    expect(bodies[0]?.buffer).toBe(bytes.buffer);
  });
});
