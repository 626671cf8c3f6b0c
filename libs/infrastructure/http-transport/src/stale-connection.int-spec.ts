import { createSecureServer, type Http2ServerRequest } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority, listen, type LocalServer, waitFor } from '@morgan/testing';
import { HttpTransport } from './http-transport.ts';
import type { TransportRequest } from './request-sender.ts';
import { TransportError } from './transport-error.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const authority = new CertificateAuthority('authority');
const credentials = authority.issue('localhost');

/** What the server does when the bytes of a request are here. */
type Turn = (socket: Socket) => void;
const answer: Turn = (socket) => socket.write(ANSWER);
const end: Turn = (socket) => socket.end();
/** Under TLS it is the connection below that has a reset. */
const reset: Turn = () => sockets.at(-1)?.resetAndDestroy();
/** Writes, and ends once the other side must have it: the bytes of a reset connection may be lost. */
const writeThen = (bytes: string, then: Turn): Turn => {
  return (socket) => void socket.write(bytes, () => setImmediate(() => then(socket)));
};

let transport: HttpTransport;
let server: LocalServer;
let sockets: Socket[];

/** Each of the requests that come, over whatever connection, gets its turn. */
async function serve(
  secure: boolean,
  turns: Turn[],
  options: { readonly maxConnections?: number } = {},
): Promise<string> {
  sockets = [];
  const waiting = [...turns];
  const onSocket = (socket: Socket) => {
    socket.on('data', () => waiting.shift()?.(socket));
  };
  return secure
    ? listenAs('https', createTlsServer(credentials, onSocket), options)
    : listenAs('http', createServer(onSocket), options);
}

async function listenAs(scheme: string, raw: Server, options: object = {}): Promise<string> {
  server = await listen(raw.on('connection', (socket: Socket) => sockets.push(socket)));
  transport = new HttpTransport({ tls: { ca: authority.cert }, ...options });
  return `${scheme}://localhost:${server.port}`;
}

const send = (origin: string, options: Partial<TransportRequest> = {}) =>
  transport.request({ origin, path: '/', method: 'POST', body: Buffer.from('{}'), ...options });

async function faultOf(work: Promise<unknown>): Promise<TransportError> {
  const error: unknown = await work.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  expect(error).toBeInstanceOf(TransportError);
  return error as TransportError;
}

async function serveOnce(origin: string): Promise<void> {
  await (await send(origin)).bytes();
  await waitFor(() => transport.getStatus()[origin]?.free === 1, { what: 'the connection back' });
}

afterEach(async () => {
  await transport.close(0);
  await server.close();
});

describe.each([
  ['plain', false],
  ['over TLS', true],
])('a connection that ends under a request, %s', (_, secure) => {
  it.each<[string, Turn]>([
    ['closed', end],
    ['reset', reset],
  ])('is stale where it had served before, and is %s without a byte', async (__, turn) => {
    const origin = await serve(secure, [answer, turn, turn]);
    await serveOnce(origin);
    expect(await faultOf(send(origin))).toMatchObject({
      reason: 'reset',
      beforeResponse: true,
      stale: true,
    });
    expect(sockets).toHaveLength(1);
    // The one after it has a new connection: it cannot be stale again.
    expect(await faultOf(send(origin))).toMatchObject({ reason: 'reset', stale: false });
    expect(sockets).toHaveLength(2);
  });

  it.each([2, 100])(
    'is not met by a request that wants a fresh one, of %i at most',
    async (maxConnections) => {
      const held: Socket[] = [];
      const hold: Turn = (socket) => {
        if (held.push(socket) === 2) for (const each of held) answer(each);
      };
      const origin = await serve(secure, [hold, hold, end, answer], { maxConnections });
      await Promise.all([1, 2].map(async () => (await send(origin)).bytes()));
      await waitFor(() => transport.getStatus()[origin]?.free === 2, { what: 'two kept connections' });
      expect(await faultOf(send(origin))).toMatchObject({ stale: true });
      expect((await (await send(origin, { freshConnection: true })).bytes()).toString()).toBe('ok');
      expect(transport.getStatus()[origin]).toMatchObject({ opened: 3 });
    },
  );

  it('is not met by one that wants a fresh one where there may be no further one', async () => {
    const origin = await serve(secure, [answer, answer], { maxConnections: 1 });
    await serveOnce(origin);
    expect((await (await send(origin, { freshConnection: true })).bytes()).toString()).toBe('ok');
    expect(transport.getStatus()[origin]).toMatchObject({ opened: 2, connected: 1 });
  });

  it('is stale in the middle of an upload too', async () => {
    const origin = await serve(secure, [answer, reset]);
    await serveOnce(origin);
    const body = new Readable({ read: () => undefined });
    body.push('first');
    expect(await faultOf(send(origin, { body }))).toMatchObject({ reason: 'reset', stale: true });
  });

  it.each<[string, Turn]>([
    ['closed', end],
    ['reset', reset],
  ])('is not where this was its first request, and it is %s', async (__, turn) => {
    const origin = await serve(secure, [turn]);
    expect(await faultOf(send(origin))).toMatchObject({ reason: 'reset', stale: false });
  });

  it.each<[string, string]>([
    ['of the status line', 'H'],
    ['of the headers', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['that is an early hint', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
  ])('is not where a part came %s', async (__, part) => {
    const origin = await serve(secure, [answer, writeThen(part, end)]);
    await serveOnce(origin);
    expect(await faultOf(send(origin))).toMatchObject({
      reason: 'reset',
      beforeResponse: true,
      stale: false,
    });
    expect(sockets).toHaveLength(1);
  });

  it('is not within the body', async () => {
    const part: Turn = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart');
    const origin = await serve(secure, [answer, part]);
    await serveOnce(origin);
    const response = await send(origin);
    sockets[0]?.resetAndDestroy();
    expect(await faultOf(response.bytes())).toMatchObject({
      reason: 'incomplete_body',
      beforeResponse: false,
      stale: false,
    });
  });

  it('is not where it was this side that ended it', async () => {
    const origin = await serve(secure, [answer, () => undefined, answer, () => undefined]);
    await serveOnce(origin);
    expect(await faultOf(send(origin, { firstByteTimeoutMs: 50 }))).toMatchObject({
      reason: 'first_byte_timeout',
      stale: false,
    });
    await serveOnce(origin);
    const asked = faultOf(send(origin, { signal: AbortSignal.timeout(50) }));
    expect(await asked).toMatchObject({ reason: 'aborted', stale: false });
  });
});

describe('an HTTP/2 connection that ends under a request', () => {
  type StreamTurn = (request: Http2ServerRequest, socket: Socket) => void;
  const serveHttp2 = async (turn: StreamTurn) => {
    sockets = [];
    const raw = createSecureServer(credentials, (request, response) => {
      if (request.url === '/first') response.end('ok');
      else turn(request, sockets[0] as Socket);
    });
    return listenAs(
      'https',
      raw.on('sessionError', () => undefined),
    );
  };

  it.each<[string, StreamTurn, boolean]>([
    ['stale where it is closed', (_, socket) => socket.end(), true],
    ['stale where it is reset', (_, socket) => socket.resetAndDestroy(), true],
    ['not stale where only the stream is reset', ({ stream }) => stream.close(2), false],
  ])('is %s', async (_, turn, stale) => {
    const origin = await serveHttp2(turn);
    await (await send(origin, { path: '/first' })).bytes();
    expect(await faultOf(send(origin))).toMatchObject({ reason: 'reset', beforeResponse: true, stale });
    expect(sockets).toHaveLength(1);
  });

  it('is not stale where this was its first request', async () => {
    const origin = await serveHttp2((_, socket) => socket.resetAndDestroy());
    expect(await faultOf(send(origin))).toMatchObject({ reason: 'reset', stale: false });
  });
});
