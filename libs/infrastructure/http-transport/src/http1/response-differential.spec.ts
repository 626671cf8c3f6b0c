import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { duplexPair } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ResponseParser } from './response-parser.ts';

/** Mostly what is usual, else one of what is not. */
const mostly = (usual: string, ...others: readonly string[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

const LINE_ENDS = ['\r\n', '\n', '\r', '\r\r\n', '\0\r\n', '\r\n ', ''] as const;
const frameEnd = mostly(...LINE_ENDS);
const lineEnd = mostly(...LINE_ENDS, ' \r\n');
const version = mostly('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.2', 'http/1.1', 'ICY');
const status = mostly('200', '204', '304', '404', '100', '101', '99', '20', '2000', '+20', '600');
const reason = mostly(' OK', '', ' ', '  OK', '\tOK', ' \xff', ' \0');
const body = fc.constantFrom('', 'hello', '0\r\n\r\n', '\r\n', 'x'.repeat(40));
const interim = mostly('', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 X\r\nContent-Length: 5\r\n\r\n');
const behind = mostly('', '\r\n', 'x', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz');

const name = fc.constantFrom(
  ...[
    'Content-Length',
    'content-length',
    'Transfer-Encoding',
    'Connection',
    'Keep-Alive',
    'Trailer',
    'Upgrade',
  ],
  ...['X', 'Content-Length ', ' Content-Length', 'X(', '', '__proto__', 'Content-\0Length', 'X\x80'],
);
const value = fc.constantFrom(
  ...[
    '5',
    '0',
    '05',
    '+5',
    '-1',
    '0x5',
    '5, 5',
    '5 5',
    '99999999999999999999',
    '',
    'chunked',
    'Chunked',
    'xchunked',
  ],
  ...[
    'chunked, chunked',
    'gzip, chunked',
    'chunked, gzip',
    'chunked;',
    'identity',
    'close',
    'keep-alive, close',
    '\xff',
  ],
  ...['a\0', 'a\x7f', 'a\rb'],
);
const header = fc
  .tuple(name, mostly(': ', ':', ':\t', ' : ', ''), value, lineEnd)
  .map((parts) => parts.join(''));

/** Not `5 `, which some servers write and Node refuses. */
const size = (length: number) => {
  const hex = length.toString(16);
  return mostly(
    hex,
    hex.toUpperCase(),
    `00${hex}`,
    `0x${hex}`,
    `-${hex}`,
    ` ${hex}`,
    `${hex};a=b`,
    'f'.repeat(16),
    '',
  );
};
const chunk = fc
  .constantFrom('hello', 'x'.repeat(17), '\r\n0\r\n\r\n')
  .chain((data) => fc.tuple(size(data.length), frameEnd, fc.constant(data), frameEnd));
const trailer = mostly('', 'A: b\r\n', 'A\r\n', 'A : b\r\n', ': b\r\n', ' folded\r\n', 'A: b\n');
const chunks = fc
  .tuple(fc.array(chunk, { maxLength: 3 }), size(0), frameEnd, trailer, frameEnd)
  .map(([all, ...end]) => [...all.flat(), ...end].join(''));

/** What says how long a body is, as a rule rightly, and the body. */
const sized = fc.oneof(
  body.map((text) => [`Content-Length: ${text.length}\r\n`, text] as const),
  chunks.map((text) => ['Transfer-Encoding: chunked\r\n', text] as const),
  body.map((text) => ['', text] as const),
);

const response = fc
  .tuple(
    interim,
    version,
    status,
    reason,
    lineEnd,
    fc.array(header, { maxLength: 2 }),
    sized,
    lineEnd,
    behind,
  )
  .map(([first, http, code, words, end, headers, [length, text], empty, rest]) =>
    Buffer.from(
      `${first}${http} ${code}${words}${end}${headers.join('')}${length}${empty}${text}${rest}`,
      'latin1',
    ),
  );

type Read = readonly [status: number | undefined, rawHeaders: readonly string[], body: string];

/** @returns nothing where it is refused, or is not whole. */
function byUs(bytes: Buffer, cuts: readonly number[]): Read | undefined {
  const heads: (readonly [number, readonly string[]])[] = [];
  let text = '';
  const sink = {
    onHead: (head: { readonly status: number; readonly rawHeaders: readonly string[] }) =>
      void heads.push([head.status, head.rawHeaders]),
    onBody: (piece: Buffer) => void (text += piece.toString('latin1')),
  };
  const parser = new ResponseParser(sink, false);
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other);
  try {
    for (const [index, place] of [...places, bytes.length].entries()) {
      // What is pushed is the parser's.
      const piece = Buffer.from(bytes.subarray(places[index - 1] ?? 0, place));
      if (piece.length > 0 && !parser.isWhole) parser.push(piece);
    }
  } catch {
    return undefined;
  }
  const [code, rawHeaders] = heads.at(-1) ?? [];
  return parser.finish() ? [code, rawHeaders ?? [], text] : undefined;
}

/** What Node's client makes of it. */
async function byNode(bytes: Buffer): Promise<Read | string> {
  const [ours, theirs] = duplexPair();
  const request = get({ createConnection: () => ours });
  // What comes behind the response is its fault as well.
  let fault = '';
  request.on('error', (error) => (fault ||= error.message));
  theirs.resume().end(bytes);
  try {
    const [incoming] = (await Promise.race([once(request, 'response'), once(request, 'close')])) as [
      IncomingMessage?,
    ];
    if (!incoming) return `no response: ${fault}`;
    return [incoming.statusCode, incoming.rawHeaders, (await buffer(incoming)).toString('latin1')];
  } catch (error) {
    return String(error);
  } finally {
    request.destroy();
  }
}

it('a response is read as Node reads it or refused, and alike wherever it is cut', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(response, fc.array(fc.nat(), { maxLength: 4 }), async (bytes, cuts) => {
      const read = byUs(bytes, []);
      expect(byUs(bytes, cuts)).toEqual(read);
      expect(byUs(bytes, [...bytes.keys()])).toEqual(read);
      if (!read) return;
      taken += 1;
      expect(await byNode(bytes)).toEqual(read);
    }),
    { numRuns: 2_000 },
  );
  expect(taken).toBeGreaterThan(400);
});
