import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import { FullListener } from '../fixture/full-listener.ts';
import { HttpTransport } from './http-transport.ts';
import type { TransportRequest } from './request-sender.ts';
import { HELD_BYTES } from './response/response-body.ts';
import { TransportError, type TransportFault } from './transport-error.ts';
import type { TransportResponse } from './response/transport-response.ts';

const until = (condition: () => boolean) => waitFor(condition, { what: condition.toString() });

/** Far above what a busy machine needs, far below the time limits that a test does not set. */
const BUSY_MS = 10_000;

const openSockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
const PLAIN_ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('HttpTransport', () => {
  let transport: HttpTransport;
  const servers: LocalServer[] = [];

  /** A TCP server that answers each request as the test says. */
  const serve = async (onRequest: (socket: Socket, request: string) => void) => {
    const received: string[] = [];
    const onConnection = (socket: Socket) =>
      socket.on('data', (data) => {
        received.push(data.toString('latin1'));
        onRequest(socket, data.toString('latin1'));
      });
    const server = await listen(createServer(onConnection));
    servers.push(server);
    return { server, received, origin: server.origin };
  };
  const send = (origin: string, options: Partial<TransportRequest> = {}) =>
    transport.request({
      origin,
      path: '/v1/x',
      method: 'POST',
      headers: ['content-type', 'application/json'],
      body: Buffer.from('{"a": 1.0}'),
      firstByteTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      ...options,
    });
  /** The fault, and how long it took to come. */
  const faultOf = async (work: () => Promise<unknown>) => {
    const start = performance.now();
    const error = await work().then(
      () => undefined,
      (fault: unknown) => fault,
    );
    expect(error).toBeInstanceOf(TransportError);
    const { reason, beforeResponse } = error as TransportError;
    return { reason, beforeResponse, tookMs: performance.now() - start };
  };

  /** Other specs of this process may have left some. */
  let socketsBefore = 0;

  beforeEach(() => {
    socketsBefore = openSockets();
    transport = new HttpTransport({
      maxConnections: 4,
      connectTimeoutMs: BUSY_MS,
      keepAliveTimeoutMs: 60_000,
    });
  });

  afterEach(async () => {
    await transport.close(0);
    await until(() => servers.every(({ sockets }) => sockets.size === 0));
    await Promise.all(servers.splice(0).map((server) => server.close()));
    await until(() => openSockets() <= socketsBefore);
  });

  describe('a response', () => {
    it('comes as it was sent: status, header list and bytes', async () => {
      const { origin, received } = await serve((socket) =>
        socket.write(
          'HTTP/1.1 429 Slow Down\r\nX-One: a\r\nretry-after: 7\r\nX-one: b\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\xff',
          'latin1',
        ),
      );
      const response = await send(origin);
      expect(response.status).toBe(429);
      expect(response.rawHeaders).toEqual(
        'X-One,a,retry-after,7,X-one,b,Content-Encoding,gzip,Content-Length,4'.split(','),
      );
      expect(response.headers['x-one']).toEqual(['a', 'b']);
      expect(await response.bytes()).toEqual(Buffer.from([0x1f, 0x8b, 0x00, 0xff]));
      const host = origin.slice('http://'.length);
      expect(received).toEqual([
        `POST /v1/x HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"a": 1.0}`,
      ]);
    });

    it('has one type and one encoding, whatever proxies have added', async () => {
      const { origin } = await serve((socket) =>
        socket.write(
          'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Encoding: br\r\ncontent-type: c/d\r\ncontent-encoding: gzip\r\nContent-Length: 0\r\n\r\n',
        ),
      );
      const { headers, rawHeaders } = await send(origin);
      expect(headers).toMatchObject({ 'content-type': 'a/b', 'content-encoding': 'br' });
      expect(rawHeaders).toContain('c/d');
    });

    it('follows no redirect', async () => {
      const { origin, received } = await serve((socket) =>
        socket.write('HTTP/1.1 307 Elsewhere\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n'),
      );
      const response = await send(origin);
      expect(response.status).toBe(307);
      await response.bytes();
      expect(received).toHaveLength(1);
    });

    it('leaves its connection to the next request', async () => {
      const { origin, server } = await serve((socket) => socket.write(PLAIN_ANSWER));
      for (let count = 0; count < 5; count += 1) {
        await (await send(origin)).bytes();
        await until(() => transport.getStatus()[origin]?.free === 1);
      }
      expect(server.accepted).toBe(1);
      expect(transport.getStatus()).toEqual({
        [origin]: { connected: 1, free: 1, running: 0, waiting: 0, opened: 1, faults: {} },
      });
    });

    it('leaves it also where nobody has read a body that came whole and is as much as is held', async () => {
      const body = 'x'.repeat(HELD_BYTES);
      const { origin, server } = await serve((socket) =>
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${HELD_BYTES}\r\n\r\n${body}`),
      );
      const first = await send(origin);
      await until(() => transport.getStatus()[origin]?.free === 1);
      const second = await send(origin, { firstByteTimeoutMs: BUSY_MS });
      expect([await first.bytes(), await second.bytes()].map(String)).toEqual([body, body]);
      expect(server.accepted).toBe(1);
    });

    it.each([
      '100 Continue\r\n',
      '102 Processing\r\n',
      '103 Early Hints\r\nLink: </a>\r\n',
      '100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n',
    ])('passes over a %j that comes first, and keeps the connection', async (interim) => {
      const { origin, server } = await serve((socket) =>
        socket.write(`HTTP/1.1 ${interim}\r\n${PLAIN_ANSWER}`),
      );
      for (let count = 0; count < 2; count += 1) {
        const response = await send(origin);
        expect([response.status, (await response.bytes()).toString()]).toEqual([200, 'ok']);
        await until(() => transport.getStatus()[origin]?.free === 1);
      }
      expect(server.accepted).toBe(1);
    });

    it('waits for a slow reader without losing a byte', async () => {
      const whole = Buffer.alloc(8 * 1024 * 1024, 'abcdefghij');
      const { origin } = await serve((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${whole.length}\r\n\r\n`);
        socket.write(whole);
      });
      const { body } = await send(origin);
      let [length, unchanged] = [0, 0];
      await until(() => {
        unchanged = body.readableLength === length ? unchanged + 1 : 0;
        length = body.readableLength;
        return length > 0 && unchanged > 100;
      });
      expect(body.readableLength).toBeLessThan(512 * 1024);
      expect((await body.bytes()).equals(whole)).toBe(true);
    });

    it('waits for a slow reader for longer than the other side may be silent', async () => {
      const whole = Buffer.alloc(8 * 1024 * 1024, 'abcdefghij');
      const { origin, server } = await serve((socket) =>
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${whole.length}\r\n\r\n`),
      );
      const { body } = await send(origin, { idleTimeoutMs: 100 });
      for (const socket of server.sockets) socket.write(whole);
      // It begins later and is silent for as long.
      const silent = await send(origin, { idleTimeoutMs: 100 });
      await expect(silent.bytes()).rejects.toMatchObject({ reason: 'body_timeout' });
      expect((await body.bytes()).equals(whole)).toBe(true);
    });
  });

  describe('a fault before the response', () => {
    const partly = 'HTTP/1.1 200 OK\r\nContent-Le';
    it.each<[string, (socket: Socket) => void, TransportFault]>([
      ['the connection is reset', (socket) => socket.resetAndDestroy(), 'reset'],
      ['the connection is closed', (socket) => socket.end(), 'reset'],
      ['the headers are cut', (socket) => socket.end(partly), 'reset'],
      ['the bytes are garbage', (socket) => socket.write('\x00\x01SSH-2.0-OpenSSH\r\n'), 'bad_response'],
      [
        'it has two lengths',
        (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}'),
        'bad_response',
      ],
      [
        'it is an upgrade that nobody asked for',
        (socket) => socket.write('HTTP/1.1 101 Switching\r\nupgrade: a\r\nconnection: upgrade\r\n\r\n'),
        'bad_response',
      ],
      [
        'the headers are endless',
        (socket) => socket.write(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(99_999)}`),
        'bad_response',
      ],
    ])('%s', async (_, misbehave, reason) => {
      const { origin } = await serve(misbehave);
      const fault = await faultOf(() => send(origin));
      expect(fault).toMatchObject({ reason, beforeResponse: true });
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
    });

    it('nobody listens', async () => {
      const { origin, server } = await serve(() => undefined);
      await server.close();
      const fault = await faultOf(() => send(origin));
      expect(fault).toMatchObject({ reason: 'connect_refused', beforeResponse: true });
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
      servers.length = 0;
    });

    it('the name does not resolve', async () => {
      const fault = await faultOf(() => send('http://nope.invalid:8000'));
      expect(fault).toMatchObject({ reason: 'dns_failed', beforeResponse: true });
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
    });

    it('the port does not speak TLS', async () => {
      const { origin } = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      const fault = await faultOf(() => send(origin.replace('http:', 'https:')));
      expect(fault).toMatchObject({ reason: 'tls_failed', beforeResponse: true });
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
    });

    it('the request cannot be written as HTTP', async () => {
      const { origin, received } = await serve(() => undefined);
      const fault = await faultOf(() => send(origin, { headers: ['x-note', 'line\r\nbreak'] }));
      expect(fault).toMatchObject({ reason: 'invalid_request', beforeResponse: true });
      expect(received).toEqual([]);
    });

    it.each(['nonsense', 'ftp://127.0.0.1', 'http://127.0.0.1/path', 'http://'])(
      'the origin is none: %s',
      async (origin) => {
        const body = Readable.from(['x']);
        const fault = await faultOf(() => send(origin, { body }));
        expect(fault).toMatchObject({ reason: 'invalid_request', beforeResponse: true });
        expect([body.destroyed, transport.getStatus()]).toEqual([true, {}]);
      },
    );

    it('the transport was disposed of', async () => {
      const gone = new HttpTransport();
      await gone[Symbol.asyncDispose]();
      const sending = gone.request({ origin: 'http://127.0.0.1:1', path: '/', method: 'GET' });
      await expect(sending).rejects.toMatchObject({ reason: 'closed' });
    });

    it('the server accepts no connection', async () => {
      const full = await FullListener.open();
      await using impatient = new HttpTransport({ connectTimeoutMs: 200 });
      const origin = `http://127.0.0.1:${full.port}`;
      const fault = await faultOf(() => impatient.request({ origin, path: '/', method: 'GET' }));
      await full.close();
      expect(fault).toMatchObject({ reason: 'connect_timeout', beforeResponse: true });
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
    });

    it('the name is never resolved', async () => {
      await using lost = new HttpTransport({ connectTimeoutMs: 200, lookup: () => undefined });
      const fault = await faultOf(() =>
        lost.request({ origin: 'http://model.test', path: '/', method: 'GET' }),
      );
      expect(fault).toMatchObject({ reason: 'connect_timeout', beforeResponse: true });
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
    });

    it('the headers drip without end', async () => {
      const { origin, server } = await serve((socket) => {
        const timer = setInterval(() => socket.write('x'), 10);
        socket.write('HTTP/1.1 200 OK\r\nA: ');
        socket.on('close', () => clearInterval(timer));
      });
      const fault = await faultOf(() => send(origin, { firstByteTimeoutMs: 150 }));
      expect(fault).toMatchObject({ reason: 'first_byte_timeout', beforeResponse: true });
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
      await until(() => server.sockets.size === 0);
    });

    it('the headers do not come in time', async () => {
      const { origin, server } = await serve(() => undefined);
      const fault = await faultOf(() => send(origin, { firstByteTimeoutMs: 100 }));
      expect(fault).toMatchObject({ reason: 'first_byte_timeout', beforeResponse: true });
      expect(fault.tookMs).toBeGreaterThanOrEqual(60);
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
      await until(() => server.sockets.size === 0);
    });

    it('the headers or the rest of the body do not come within readTimeoutMs, where the request names no limit', async () => {
      const impatient = new HttpTransport({ readTimeoutMs: 2_000 });
      const { origin } = await serve((socket, request) => {
        if (request.startsWith('GET /body')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart');
      });
      const ask = async (path: string) => (await impatient.request({ origin, path, method: 'GET' })).bytes();
      const [headers, body] = await Promise.all(['/none', '/body'].map((path) => faultOf(() => ask(path))));
      await impatient.close(0);
      expect(headers).toMatchObject({ reason: 'first_byte_timeout', beforeResponse: true });
      expect(headers?.tookMs).toBeLessThan(BUSY_MS);
      expect(body).toMatchObject({ reason: 'body_timeout', beforeResponse: false });
      expect(body?.tookMs).toBeLessThan(BUSY_MS);
    });

    it('no connection becomes free in time, and the busy ones are not touched', async () => {
      const waiting: Socket[] = [];
      const { origin, server, received } = await serve((socket) => void waiting.push(socket));
      const busy = Array.from({ length: 4 }, () => send(origin));
      await until(() => waiting.length === 4);
      expect(await faultOf(() => send(origin, { firstByteTimeoutMs: 50 }))).toMatchObject({
        reason: 'pool_timeout',
        beforeResponse: true,
      });
      for (const socket of waiting) socket.write(PLAIN_ANSWER);
      for (const response of await Promise.all(busy)) expect((await response.bytes()).toString()).toBe('ok');
      // The one that gave up was still in the pool's queue: it must neither be sent nor cost a connection.
      await until(() => transport.getStatus()[origin]?.waiting === 0);
      await until(() => transport.getStatus()[origin]?.free === 4);
      expect([received.length, server.accepted]).toEqual([4, 4]);
    });
  });

  describe('a fault within the body', () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n';
    const counted = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst';
    const closing = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nfirst';
    it.each<[string, string, (socket: Socket) => void, TransportFault]>([
      ['a chunked body is cut', chunked, (socket) => socket.end(), 'incomplete_body'],
      ['a chunked body is reset', chunked, (socket) => socket.resetAndDestroy(), 'incomplete_body'],
      ['a chunk has no valid size', chunked, (socket) => socket.write('zz\r\nsecond\r\n'), 'bad_response'],
      ['a counted body is cut', counted, (socket) => socket.end(), 'incomplete_body'],
      ['a counted body is cut, the end announced', closing, (socket) => socket.end(), 'incomplete_body'],
    ])('%s', async (_, start, misbehave, reason) => {
      const sockets: Socket[] = [];
      const { origin } = await serve((socket) => {
        sockets.push(socket);
        socket.write(start);
      });
      const { body } = await send(origin);
      const [first] = (await once(body, 'data')) as [Buffer];
      expect(first.toString()).toBe('first');
      for (const socket of sockets) misbehave(socket);
      const fault = await faultOf(() => body.bytes());
      expect(fault).toMatchObject({ reason, beforeResponse: false });
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
    });

    it.each([200, 0])('the body falls silent, where it may for %s ms', async (idleTimeoutMs) => {
      const { origin, server } = await serve((socket) => socket.write(chunked));
      const response = await send(origin, { idleTimeoutMs });
      const fault = await faultOf(() => response.bytes());
      expect(fault).toMatchObject({ reason: 'body_timeout', beforeResponse: false });
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
      await until(() => server.sockets.size === 0);
    });

    it('is what the caller made of it', async () => {
      const { origin } = await serve((socket) => socket.end(chunked));
      const response = await send(origin, { bodyFault: ({ reason }) => new RangeError(reason) });
      await expect(response.bytes()).rejects.toThrow(new RangeError('incomplete_body'));
    });

    it('does not end the process when nobody listens', async () => {
      const { origin } = await serve((socket) => socket.end(chunked));
      const { body } = await send(origin);
      await until(() => body.closed);
      expect(body.errored).toMatchObject({ reason: 'incomplete_body' });
    });
  });

  describe('an abort', () => {
    it('before the call sends nothing', async () => {
      const { origin, server } = await serve(() => undefined);
      const fault = await faultOf(() => send(origin, { signal: AbortSignal.abort() }));
      expect(fault).toMatchObject({ reason: 'aborted', beforeResponse: true });
      expect(server.accepted).toBe(0);
    });

    it.each<[string, string | undefined]>([
      ['before the headers', undefined],
      ['within the body', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n'],
    ])('%s closes the connection', async (_, answer) => {
      const aborter = new AbortController();
      const { origin, server, received } = await serve((socket) => void (answer && socket.write(answer)));
      const sent = send(origin, { signal: aborter.signal });
      const outcome = faultOf(async () => (await sent).bytes());
      await until(() => received.length === 1);
      if (answer) await sent;
      aborter.abort();
      await until(() => server.sockets.size === 0);
      expect(await outcome).toMatchObject({ reason: 'aborted', beforeResponse: answer === undefined });
    });

    it('is heard while the connection is still being made', async () => {
      const aborter = new AbortController();
      const outcome = faultOf(() => send('http://nope.invalid:8000', { signal: aborter.signal }));
      aborter.abort();
      const fault = await outcome;
      expect(fault.reason).toBe('aborted');
      expect(fault.tookMs).toBeLessThan(BUSY_MS);
    });

    it('while it waits for a connection sends nothing and costs none', async () => {
      const waiting: Socket[] = [];
      const { origin, server, received } = await serve((socket) => void waiting.push(socket));
      const busy = Array.from({ length: 4 }, () => send(origin));
      await until(() => waiting.length === 4);
      const aborter = new AbortController();
      const outcome = faultOf(() => send(origin, { signal: aborter.signal }));
      expect(transport.getStatus()[origin]).toMatchObject({ running: 4, waiting: 1 });
      aborter.abort();
      expect(await outcome).toMatchObject({ reason: 'aborted', beforeResponse: true });
      expect(transport.getStatus()[origin]).toMatchObject({ running: 4, waiting: 0, faults: { aborted: 1 } });
      for (const socket of waiting) socket.write(PLAIN_ANSWER);
      for (const response of await Promise.all(busy)) await response.bytes();
      await until(() => transport.getStatus()[origin]?.free === 4);
      expect([received.length, server.accepted]).toEqual([4, 4]);
    });

    it('leaves no listener on the signal', async () => {
      const { origin } = await serve((socket) => socket.write(PLAIN_ANSWER));
      const { signal } = new AbortController();
      const added = jest.spyOn(signal, 'addEventListener');
      const removed = jest.spyOn(signal, 'removeEventListener');
      await (await send(origin, { signal })).bytes();
      expect(added.mock.calls).toHaveLength(1);
      expect(removed.mock.calls).toContainEqual(added.mock.calls[0]);
    });
  });

  describe('a discarded answer', () => {
    const discardOne = async (answer: string) => {
      const { origin, server } = await serve((socket) => socket.write(answer));
      const response: TransportResponse = await send(origin);
      response.discard();
      await until(() => response.body.closed);
      return { origin, server };
    };

    it('keeps its connection when all of it is here', async () => {
      const { origin, server } = await discardOne('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy');
      await until(() => transport.getStatus()[origin]?.free === 1);
      expect((await send(origin)).status).toBe(503);
      expect(server.accepted).toBe(1);
    });

    it('loses its connection when more is to come', async () => {
      const { server } = await discardOne('HTTP/1.1 503 Busy\r\nContent-Length: 9999\r\n\r\nbusy');
      await until(() => server.sockets.size === 0);
    });
  });

  describe('a connection that the server closed while it was idle', () => {
    it('is not used for the next request', async () => {
      const { origin, server } = await serve((socket) => socket.write(PLAIN_ANSWER));
      await (await send(origin)).bytes();
      for (const socket of server.sockets) socket.end();
      expect((await send(origin)).status).toBe(200);
      expect(server.accepted).toBe(2);
    });
  });

  describe('close', () => {
    it('lets what is in flight finish, then refuses', async () => {
      const waiting: Socket[] = [];
      const { origin } = await serve((socket) => void waiting.push(socket));
      const sent = send(origin);
      await until(() => waiting.length === 1);
      const closed = transport.close(5000);
      expect(await faultOf(() => send(origin))).toMatchObject({ reason: 'closed', beforeResponse: true });
      waiting[0]?.write(PLAIN_ANSWER);
      expect((await (await sent).bytes()).toString()).toBe('ok');
      await closed;
    });

    it('waits for good where it is told to, and whoever calls it again waits with it', async () => {
      const waiting: Socket[] = [];
      const { origin } = await serve((socket) => void waiting.push(socket));
      const sent = send(origin);
      await until(() => waiting.length === 1);
      const order: string[] = [];
      const closed = ['first', 'second'].map((name) =>
        transport.close(Infinity).then(() => order.push(`${name} close`)),
      );
      // Long after the end of a timer that overflows.
      const ended = sent.then((response) => response.bytes()).then((bytes) => order.push(bytes.toString()));
      setTimeout(() => waiting[0]?.write(PLAIN_ANSWER), 50);
      await Promise.all([...closed, ended]);
      expect(order[0]).toBe('ok');
      expect(order).toHaveLength(3);
    });

    it('cuts what is still in flight, and what still waits, when the grace is over', async () => {
      const { origin, received } = await serve(() => undefined);
      const outcomes = Array.from({ length: 6 }, () => faultOf(() => send(origin)));
      await until(() => received.length === 4);
      const start = performance.now();
      await transport.close(100);
      expect(performance.now() - start).toBeLessThan(BUSY_MS);
      for (const outcome of await Promise.all(outcomes)) expect(outcome.reason).toBe('closed');
    });
  });
});
