import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import { HttpTransport } from './http-transport.ts';
import type { TransportRequest } from './request-sender.ts';
import { TransportError } from './transport-error.ts';

const MEBIBYTE = 1024 * 1024;
/** Far above what a busy machine needs, far below the time limits that a test does not set. */
const BUSY_MS = 10_000;
/** How long a receiver that stops reading is waited for. */
const WRITE_MS = 500;
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let transport: HttpTransport;
const servers: LocalServer[] = [];

async function originOf(...server: Parameters<typeof listen>): Promise<string> {
  const local = await listen(...server);
  servers.push(local);
  return local.origin;
}
const serveHttp = (listener: RequestListener) => originOf(listener);
const serveTcp = (onConnection: (socket: Socket) => void) => originOf(createServer(onConnection));
/** How many connections are open. */
const connections = () => servers.reduce((sum, { sockets }) => sum + sockets.size, 0);

const send = (origin: string, options: Partial<TransportRequest> = {}) =>
  transport.request({
    origin,
    path: '/',
    method: 'POST',
    firstByteTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    ...options,
  });

async function faultOf(work: Promise<unknown>) {
  const start = performance.now();
  const error: unknown = await work.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  expect(error).toBeInstanceOf(TransportError);
  const { reason, beforeResponse, cause } = error as TransportError;
  return { reason, beforeResponse, cause, tookMs: performance.now() - start };
}

function use(writeTimeoutMs: number): void {
  transport = new HttpTransport({
    maxConnections: 2,
    connectTimeoutMs: 20_000,
    keepAliveTimeoutMs: 4000,
    poolTimeoutMs: 150,
    writeTimeoutMs,
  });
}

beforeEach(() => use(20_000));

afterEach(async () => {
  await transport.close(0);
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe('the limit of the response', () => {
  /** Gives five pieces, each after so many milliseconds. */
  async function* slowly(pauseMs: number) {
    for (let piece = 0; piece < 5; piece += 1) {
      await delay(pauseMs);
      yield Buffer.from('piece');
    }
  }

  it('is not that of a body that comes slowly', async () => {
    const origin = await serveHttp(
      (request, response) => void request.resume().on('end', () => response.end('ok')),
    );
    const response = await send(origin, { body: slowly(500), firstByteTimeoutMs: 2_000 });
    expect((await response.bytes()).toString()).toBe('ok');
  });

  it('holds for a server that has all of it', async () => {
    const origin = await serveHttp((request) => void request.resume());
    expect(await faultOf(send(origin, { body: slowly(50), firstByteTimeoutMs: 200 }))).toMatchObject({
      reason: 'first_byte_timeout',
    });
  });
});

describe('the wait for a free connection', () => {
  it('ends with pool_timeout exactly on time, and the request is never sent', async () => {
    const held: IncomingMessage[] = [];
    const origin = await serveHttp((request, response) => {
      held.push(request);
      request.on('end', () => undefined).resume();
      if (request.url === '/late') response.end('late');
      else release.push(() => response.end('ok'));
    });
    const release: (() => void)[] = [];
    const busy = [send(origin), send(origin)];
    await waitFor(() => held.length === 2, { what: 'two requests' });
    const source = new Readable({ read: () => undefined });
    const faults = await Promise.all([
      faultOf(send(origin, { path: '/late' })),
      faultOf(send(origin, { path: '/late', body: source })),
    ]);
    for (const { reason, beforeResponse, tookMs } of faults) {
      expect([reason, beforeResponse]).toEqual(['pool_timeout', true]);
      // A timer counts from when its turn of the loop began, which may be some milliseconds before.
      expect(tookMs).toBeGreaterThanOrEqual(100);
      expect(tookMs).toBeLessThan(BUSY_MS);
    }
    expect(source.destroyed).toBe(true);
    for (const answer of release) answer();
    for (const response of await Promise.all(busy)) expect((await response.bytes()).toString()).toBe('ok');
    await waitFor(() => transport.getStatus()[origin]?.free === 2, { what: 'both connections back' });
    expect([held.length, transport.getStatus()[origin]?.waiting]).toEqual([2, 0]);
  });

  it('is over once a connection is free: the response may take longer', async () => {
    const brief = new HttpTransport({ maxConnections: 1, poolTimeoutMs: 2_500 });
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const origin = await serveHttp((request, response) => {
      const answer = () => response.end('ok');
      request.resume();
      if (request.url === '/held') void mayEnd.then(answer);
      else setTimeout(answer, 2_600);
    });
    const ask = (path: string) => brief.request({ origin, path, method: 'GET' });
    const responses = [ask('/held'), ask('/slow')];
    await waitFor(() => brief.getStatus()[origin]?.waiting === 1, { what: 'the second to wait' });
    end();
    for (const response of await Promise.all(responses)) {
      expect(response.status).toBe(200);
      await response.bytes();
    }
    await brief.close(0);
  });

  it('is limited by the wait for the response alone where the limit is null, and so is writing', async () => {
    const patient = new HttpTransport({ maxConnections: 1, poolTimeoutMs: null, writeTimeoutMs: null });
    const origin = await serveTcp((socket) => socket.pause());
    const request = { origin, path: '/', method: 'POST' as const, body: Buffer.alloc(32 * MEBIBYTE) };
    const ask = (firstByteTimeoutMs: number) => faultOf(patient.request({ ...request, firstByteTimeoutMs }));
    const faults = await Promise.all([ask(400), ask(200)]);
    await patient.close(0);
    expect(faults.map(({ reason }) => reason)).toEqual(['first_byte_timeout', 'pool_timeout']);
  });

  it('is not the time that making a connection takes', async () => {
    const slow = new HttpTransport({
      maxConnections: 1,
      connectTimeoutMs: 300,
      keepAliveTimeoutMs: 4000,
      poolTimeoutMs: 20,
    });
    // A TLS handshake that never comes to its end.
    const origin = (await serveTcp(() => undefined)).replace('http:', 'https:');
    const ask = () => faultOf(slow.request({ origin, path: '/', method: 'GET' }));
    const outcomes = await Promise.all([ask(), ask()]);
    await slow.close(0);
    // Nor does the one that waits for the other's connection find the pool used up.
    expect(outcomes.map(({ reason }) => reason)).toEqual(['connect_timeout', 'connect_timeout']);
  });
});

describe('a receiver that stops reading', () => {
  /** More than the kernel's buffers of both ends take. */
  const large = Buffer.alloc(32 * MEBIBYTE, 'x');
  const deaf = () => serveTcp((socket) => socket.pause());

  it.each<[string, () => TransportRequest['body']]>([
    ['a large body', () => large],
    ['a streamed body', () => Readable.from([large])],
    [
      'a generated body',
      async function* () {
        for (;;) yield await Promise.resolve(large.subarray(0, 1000));
      },
    ],
  ])('in %s is given up with write_timeout, and its connection closed', async (_, body) => {
    use(WRITE_MS);
    const origin = await deaf();
    const { reason, beforeResponse, tookMs } = await faultOf(send(origin, { body: body() }));
    expect([reason, beforeResponse]).toEqual(['write_timeout', true]);
    expect(tookMs).toBeGreaterThanOrEqual(WRITE_MS - 5);
    expect(tookMs).toBeLessThan(BUSY_MS);
    expect(transport.getStatus()[origin]?.connected).toBe(0);
  });

  it('but is only slow gets the time it needs', async () => {
    // Longer than this process may stand still.
    const limitMs = 2_500;
    use(limitMs);
    // The kernel takes megabytes at a time: what it takes long over must be many times that.
    const huge = Buffer.alloc(96 * MEBIBYTE, 'x');
    let received = 0;
    const origin = await serveTcp((socket) => {
      const read = () => {
        received += (socket.read() as Buffer | null)?.length ?? 0;
        if (received > huge.length) socket.write(ANSWER);
        else setTimeout(() => void socket.once('readable', read).read(0), 2);
      };
      socket.once('readable', read);
    });
    const start = performance.now();
    const response = await send(origin, { body: huge });
    expect(response.status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(limitMs);
  });

  it('after it answered is no fault: the response counts', async () => {
    let tail: (() => void) | undefined;
    const origin = await serveTcp((socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nno');
        tail = () => socket.write('pe');
      });
    });
    const source = Readable.from([large]);
    const response = await send(origin, { body: source });
    setTimeout(() => tail?.(), 300);
    expect([response.status, (await response.bytes()).toString()]).toEqual([413, 'nope']);
    await waitFor(() => source.destroyed, { what: 'the source given up' });
  });
});

describe('a server that answers an upload and cuts it', () => {
  it('is heard, though the next write fails before its response was read', async () => {
    const cut = Promise.withResolvers<void>();
    const origin = await serveTcp((socket) => {
      socket.once('data', () => {
        socket.on('close', () => cut.resolve());
        socket.pause().write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
        socket.resetAndDestroy();
      });
    });
    async function* pieces() {
      yield Buffer.alloc(MEBIBYTE);
      await cut.promise;
      yield Buffer.alloc(MEBIBYTE);
    }
    const response = await send(origin, { body: pieces() });
    expect([response.status, String(await response.bytes())]).toEqual([413, 'no']);
  });
});

describe('a streamed body', () => {
  const echo = () =>
    serveHttp((request, response) => {
      void buffer(request).then((body) => {
        response.setHeader(
          'x-framing',
          request.headers['content-length'] ?? request.headers['transfer-encoding'] ?? '',
        );
        response.end(body);
      });
    });

  it('arrives byte for byte, whatever the sizes of its chunks', async () => {
    const origin = await echo();
    const chunks = [Buffer.alloc(0), Buffer.from('é'), Buffer.alloc(200_000, 'ab'), Buffer.from('end')];
    const bodies = [
      Readable.from(chunks),
      (async function* () {
        for (const chunk of chunks) yield await Promise.resolve(chunk);
      })(),
    ];
    for (const body of bodies) {
      const response = await send(origin, { body });
      expect(response.headers['x-framing']).toBe('chunked');
      expect((await response.bytes()).equals(Buffer.concat(chunks))).toBe(true);
      await waitFor(() => transport.getStatus()[origin]?.free === 1, { what: 'the connection back' });
    }
    expect(connections()).toBe(1);
  });

  it('of bytes that are all here has their length, however many slices they are', async () => {
    const lengths: unknown[] = [];
    const origin = await serveHttp((request, response) => {
      lengths.push([request.headers['content-length'], request.headers['transfer-encoding']]);
      void buffer(request).then(({ length }) => response.end(String(length)));
    });
    const body = Buffer.alloc(MEBIBYTE);
    for (const headers of [undefined, ['x-one', '1'], ['Content-Length', String(MEBIBYTE)]])
      expect(String(await (await send(origin, { body, ...(headers && { headers }) })).bytes())).toBe(
        String(MEBIBYTE),
      );
    expect(lengths).toEqual(Array(3).fill([String(MEBIBYTE), undefined]));
  });

  it('has the length that the caller names', async () => {
    const origin = await echo();
    const response = await send(origin, {
      headers: ['content-length', '5'],
      body: Readable.from(['he', 'llo']),
    });
    expect([response.headers['x-framing'], (await response.bytes()).toString()]).toEqual(['5', 'hello']);
    for (const length of ['4', '6']) {
      const headers = ['content-length', length];
      expect(await faultOf(send(origin, { headers, body: Readable.from(['hello']) }))).toMatchObject({
        reason: 'upload_failed',
        beforeResponse: true,
      });
    }
  });

  it('may pause for longer than the write timeout', async () => {
    use(WRITE_MS);
    const origin = await echo();
    const body = new Readable({ read: () => undefined });
    const sent = send(origin, { body });
    body.push('first');
    await delay(WRITE_MS + 100);
    body.push('second');
    body.push(null);
    expect((await (await sent).bytes()).toString()).toBe('firstsecond');
  });

  it('is read no faster than the receiver takes it', async () => {
    use(WRITE_MS);
    const origin = await serveTcp((socket) => socket.pause());
    let produced = 0;
    const body = (async function* () {
      for (;;) {
        produced += MEBIBYTE;
        yield await Promise.resolve(Buffer.alloc(MEBIBYTE));
      }
    })();
    await faultOf(send(origin, { body }));
    expect(produced).toBeLessThan(32 * MEBIBYTE);
  });

  it('that breaks fails the request with its own error and cuts the connection', async () => {
    let received = '';
    const origin = await serveTcp(
      (socket) => void socket.on('data', (data) => (received += data.toString())),
    );
    const broken = new RangeError('disk');
    const body = new Readable({ read: () => undefined });
    const outcome = faultOf(send(origin, { body }));
    body.push('first');
    await waitFor(() => received.includes('first'), { what: 'the first chunk' });
    body.destroy(broken);
    expect(await outcome).toMatchObject({ reason: 'upload_failed', beforeResponse: true, cause: broken });
    await waitFor(() => connections() === 0, { what: 'the connection cut' });
    expect(received).not.toContain('\r\n0\r\n');
  });

  it('that breaks while it waits for a connection fails at once', async () => {
    const origin = await serveHttp(() => undefined);
    const busy = [faultOf(send(origin)), faultOf(send(origin))];
    await waitFor(() => connections() === 2, { what: 'two requests' });
    const body = new Readable({ read: () => undefined });
    const outcome = faultOf(send(origin, { body }));
    body.destroy(new RangeError('disk'));
    const { reason, tookMs } = await outcome;
    expect(reason).toBe('upload_failed');
    expect(tookMs).toBeLessThan(BUSY_MS);
    await transport.close(0);
    await Promise.all(busy);
  });

  it('is cut by an abort in the middle, and its source ended', async () => {
    let ended = false;
    let received = 0;
    const origin = await serveTcp((socket) => void socket.on('data', (data) => (received += data.length)));
    const body = (async function* () {
      try {
        for (;;) yield await Promise.resolve(Buffer.alloc(1000));
      } finally {
        ended = true;
      }
    })();
    const aborter = new AbortController();
    const outcome = faultOf(send(origin, { body, signal: aborter.signal }));
    await waitFor(() => received > MEBIBYTE, { what: 'a part of the upload' });
    const cause = new Error('gone');
    aborter.abort(cause);
    expect(await outcome).toMatchObject({ reason: 'aborted', beforeResponse: true, cause });
    await waitFor(() => ended && connections() === 0, { what: 'the end of both sides' });
  });

  it('whose request is refused is destroyed', async () => {
    const body = Readable.from(['x']);
    await faultOf(send('http://127.0.0.1:1', { body, signal: AbortSignal.abort() }));
    expect(body.destroyed).toBe(true);
  });
});
