import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import { HttpTransport } from '../http-transport.ts';
import type { TransportRequest } from '../request-sender.ts';

const answerOf = (body: string, headers = '') =>
  `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;

describe('connections that speak HTTP/1.1', () => {
  let server: LocalServer;
  let transport: HttpTransport;
  let origin: string;
  let sockets: Socket[];
  let asked: string[];
  /** What becomes of a request, by the first line of it. */
  let answer: (socket: Socket, line: string) => void;

  beforeEach(async () => {
    [sockets, asked] = [[], []];
    server = await listen(
      createServer({ noDelay: true }, (socket) => {
        sockets.push(socket);
        socket.on('data', (bytes) => {
          const [line = ''] = bytes.toString('latin1').split('\r\n');
          asked.push(line);
          answer(socket, line);
        });
      }),
    );
    origin = server.origin;
    transport = new HttpTransport({ maxConnections: 1, readTimeoutMs: 20_000, keepAliveTimeoutMs: 600_000 });
  });
  afterEach(async () => {
    await transport.close(0);
    await server.close();
  });

  const ask = async (path = '/', options: Partial<TransportRequest> = {}) => {
    const response = await transport.request({ origin, path, method: 'GET', ...options });
    return `${response.status} ${String(await response.bytes())}`;
  };
  const free = () => waitFor(() => transport.statusOf(origin).free === 1, { what: 'a free connection' });

  it('take what nobody asked for as the answer to no request', async () => {
    answer = (socket, line) => socket.write(answerOf(line));
    expect(await ask('/1')).toBe('200 GET /1 HTTP/1.1');
    await free();
    sockets[0]?.write(answerOf('for somebody else'));
    await waitFor(() => transport.statusOf(origin).connected === 0, { what: 'the end of that connection' });
    expect(await ask('/2')).toBe('200 GET /2 HTTP/1.1');
    expect(sockets).toHaveLength(2);
  });

  it('take what comes behind a response as the answer to no request', async () => {
    answer = (socket, line) => socket.write(answerOf(line) + answerOf('for somebody else'));
    expect(await Promise.all([ask('/1'), ask('/2')])).toEqual(['200 GET /1 HTTP/1.1', '200 GET /2 HTTP/1.1']);
    expect(sockets).toHaveLength(2);
  });

  it('take a piece of a body in each turn of the event loop, however much of it is there', async () => {
    const body = 'x'.repeat(4 * 1024 * 1024);
    answer = (socket) => socket.write(answerOf(body));
    const { body: bytes } = await transport.request({ origin, path: '/', method: 'GET' });
    let [taken, takenInTurn, most] = [0, 0, 0];
    bytes.on('data', ({ length }: Buffer) => {
      taken += length;
      takenInTurn += length;
    });
    while (taken < body.length) {
      await new Promise(setImmediate);
      most = Math.max(most, takenInTurn);
      takenInTurn = 0;
    }
    expect(most).toBeLessThanOrEqual(128 * 1024);
  });

  it('are not used again where the server closes them behind a response, without a word of that', async () => {
    answer = (socket, line) => socket.end(answerOf(line));
    for (let request = 1; request <= 20; request += 1)
      expect(await ask(`/${request}`)).toBe(`200 GET /${request} HTTP/1.1`);
    expect(transport.statusOf(origin)).toMatchObject({ opened: 20, faults: {} });
  });

  it.each<[string, string, Partial<TransportRequest>]>([
    ['the server says so', answerOf('', 'Connection: close\r\n'), {}],
    ['the caller says so', answerOf(''), { headers: ['connection', 'close'] }],
    ['a response without a body may have one', 'HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n', {}],
    ['a server may send a body that it must not', answerOf(''), { method: 'HEAD' }],
    ['the server keeps them for less than is safe', answerOf('', 'Keep-Alive: timeout=2\r\n'), {}],
  ])('are not used again where %s', async (_, text, options) => {
    answer = (socket) => socket.write(text);
    await ask('/', options);
    // Long before it would be for its idleness.
    await waitFor(() => transport.statusOf(origin).connected === 0, { what: 'the end of the connection' });
    await ask('/', options);
    expect(sockets).toHaveLength(2);
  });

  it('serve those that wait in their order, and nobody who has gone', async () => {
    const held: Socket[] = [];
    answer = (socket) => void held.push(socket);
    const leaving = new AbortController();
    const requests = ['/1', '/2', '/3', '/4'].map((path) =>
      ask(path, path === '/3' ? { signal: leaving.signal } : {}),
    );
    await waitFor(() => held.length === 1, { what: 'the first' });
    leaving.abort();
    await expect(requests[2]).rejects.toMatchObject({ reason: 'aborted', isQueued: true });
    answer = (socket, line) => socket.write(answerOf(line));
    held[0]?.write(answerOf('first'));
    expect(await Promise.all(requests.filter((_, at) => at !== 2))).toEqual([
      '200 first',
      '200 GET /2 HTTP/1.1',
      '200 GET /4 HTTP/1.1',
    ]);
    expect(asked.map((line) => line.split(' ')[1])).toEqual(['/1', '/2', '/4']);
    expect(transport.statusOf(origin)).toMatchObject({ opened: 1, running: 0, waiting: 0 });
  });

  it('have no memory of a request that is over: a late word of its reader concerns no later one', async () => {
    answer = (socket, line) => socket.write(answerOf(line));
    const first = await transport.request({ origin, path: '/1', method: 'GET' });
    expect(String(await first.bytes())).toBe('GET /1 HTTP/1.1');
    await free();
    const held: Socket[] = [];
    answer = (socket) => void held.push(socket);
    const second = ask('/2');
    await waitFor(() => held.length === 1, { what: 'the second' });
    first.discard();
    held[0]?.write(answerOf('second'));
    expect(await second).toBe('200 second');
    expect(sockets).toHaveLength(1);
  });
});
