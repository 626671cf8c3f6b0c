import { createServer, type IncomingHttpHeaders } from 'node:http';
import { duplexPair } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readDirectly } from './direct-request.ts';

/** Mostly what is usual, else one of what is not. */
const mostly = (usual: string, ...others: readonly string[]) =>
  fc.oneof(
    { weight: 30, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

const lineEnd = mostly('\r\n', '\n', '\r', '\r\r\n', ' \r\n', '\0\r\n', '\r\n ', '\x0b\r\n', '');
const method = mostly(
  'POST',
  'GET',
  'DELETE',
  'PUT',
  'HEAD',
  'CONNECT',
  'post',
  'PRI',
  ' GET',
  'GETT',
  'G\0ET',
);
const target = mostly(
  '/v1/x?a=1&b=%2F',
  ...['/', '*', 'http://x/y', '/a#b', '/\xe4', '/a b', '/a\tb', '/a\x7f', '/a\0', '//a', '/"<>\\^`{|}', ''],
);
const version = mostly(
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/1.2',
  'http/1.1',
  'HTTP/1.1 ',
  'HTTP/1.01',
  'RTSP/1.0',
  '',
);

/** Names that are no names, and such as all objects have, too. */
const name = fc.constantFrom(
  ...[
    'X',
    'x-api-key',
    'Accept',
    'Cookie',
    'TE',
    'Keep-Alive',
    "x!#$%&'*+-.^_`|~",
    'Content_Length',
    '__proto__',
  ],
  ...[
    'constructor',
    'Content-Length ',
    ' Content-Length',
    'Content-Length\t',
    'Content-\0Length',
    'X\x80',
    'X(',
    '',
  ],
);
const value = fc.constantFrom(
  ...['x', '', ' \t x \t ', 'a: b', '\xff\xa0', '\xa0', 'a\0', 'a\x7f', 'a\rb', 'a\nb', 'a\x0bb', 'a\x1f'],
);
const LENGTHS = [
  '+7',
  '-7',
  '0x7',
  '7, 7',
  '7 7',
  '7.0',
  '007',
  '4294967303',
  '99999999999999999999',
  '0',
  '',
] as const;
const framing = fc.oneof(
  fc.tuple(fc.constantFrom('Content-Length', 'content-length'), fc.constantFrom('7', ...LENGTHS)),
  fc.tuple(
    fc.constant('Transfer-Encoding'),
    fc.constantFrom('chunked', 'gzip, chunked', 'identity', 'xchunked', ''),
  ),
  fc.tuple(
    fc.constant('Connection'),
    fc.constantFrom('keep-alive', 'close', 'keep-alive, close', 'upgrade', ''),
  ),
  fc.tuple(
    fc.constantFrom(
      'Upgrade',
      'Expect',
      'Host',
      'Proxy-Connection',
      'Content-Encoding',
      'Trailer',
      'Content-Type',
    ),
    fc.constantFrom('h2c', '100-continue', 'x', 'close', 'gzip', 'application/json', ''),
  ),
);
const header = fc
  .tuple(fc.oneof(fc.tuple(name, value), framing), mostly(': ', ':', ':\t', ' :', '', '::'), lineEnd)
  .map(([[key, text], colon, end]) => key + colon + text + end);
const headers = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.array(header, { maxLength: 2 }).map((lines) => lines.join('')) },
);

/** What says how long the body is, as a rule rightly, and the body with what comes behind it. */
const sized = fc
  .tuple(
    fc.constantFrom('', '{"a":1}', '7\r\n{"a":1}\r\n0\r\n\r\n', 'GET / HTTP/1.1\r\nHost: y\r\n\r\n', '\r\n'),
    mostly('application/json', 'Application/JSON; charset=utf-8', 'application/jsonx'),
    mostly('', ...LENGTHS),
    fc.boolean(),
    mostly('', '\r\n', 'x', 'GET / HTTP/1.1\r\nHost: y\r\n\r\n'),
  )
  .map(([body, type, otherLength, isSaid, behind]) => [
    isSaid ? `Content-Type: ${type}\r\nContent-Length: ${otherLength || body.length}\r\n` : '',
    body + behind,
  ]);

const request = fc
  .tuple(
    method,
    target,
    version,
    lineEnd,
    mostly('Host: x\r\n', 'Host:\r\n', ''),
    headers,
    sized,
    headers,
    lineEnd,
  )
  .map(
    ([verb, path, http, end, host, before, [length = '', body = ''], after, empty]) =>
      `${verb} ${path} ${http}${end}${host}${before}${length}${after}${empty}${body}`,
  );

interface Read {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly isKept: boolean;
}

/** Nothing else lies between the two sides. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
}

let asked: (read: Read | string) => void = () => undefined;
const server = createServer({ requireHostHeader: false }, (incoming, response) => {
  const answer = asked;
  const { method: verb, url, headers: all, rawHeaders } = incoming;
  const { shouldKeepAlive: isKept } = response;
  buffer(incoming).then(
    (body) => answer({ method: verb, url, headers: all, rawHeaders, body: body.toString('latin1'), isKept }),
    (error: unknown) => answer(String(error)),
  );
});
for (const event of ['clientError', 'upgrade', 'connect', 'checkContinue', 'checkExpectation'])
  server.on(event, () => asked(event));

/** What Node's server makes of the first request. */
async function byNode(bytes: Buffer): Promise<Read | string> {
  const [theirs, ours] = duplexPair();
  const read = new Promise<Read | string>((resolve) => (asked = resolve));
  server.emit('connection', ours);
  theirs.resume().write(bytes);
  const first = await Promise.race([read, turns(50).then(() => 'more is waited for')]);
  ours.destroy();
  return first;
}

it('a request that is read directly is read as Node reads it', async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(request, async (text) => {
      const bytes = Buffer.from(text, 'latin1');
      const reading = readDirectly(bytes);
      // What is not here yet is waited for.
      if (!reading || reading.end > bytes.length) return;
      taken += 1;
      const { bodyAt, end } = reading;
      const { method: verb, url, headers: all, rawHeaders } = reading.request;
      const body = bytes.toString('latin1', bodyAt, end);
      // As far as it goes: whatever comes behind is another request.
      expect(await byNode(bytes.subarray(0, end))).toEqual({
        method: verb,
        url,
        headers: all,
        rawHeaders,
        body,
        isKept: true,
      });
    }),
    { numRuns: 4_000 },
  );
  expect(taken).toBeGreaterThan(800);
});
