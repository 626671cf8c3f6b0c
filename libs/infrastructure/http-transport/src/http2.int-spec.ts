import { once } from 'node:events';
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
} from 'node:http2';
import { connect, createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority, listen, type LocalServer, waitFor } from '@morgan/testing';
import { HttpTransport, type HttpTransportOptions } from './http-transport.ts';
import type { TransportRequest } from './request-sender.ts';
import type { TransportError } from './transport-error.ts';

const authority = new CertificateAuthority('authority');
type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

describe('HTTP/2', () => {
  let transport: HttpTransport;
  let server: LocalServer;
  let origin: string;
  /** Stands between the transport and the server where a test wants it. */
  let relay: LocalServer | undefined;
  const relayed: Socket[] = [];

  const use = (options: Partial<HttpTransportOptions> = {}) =>
    (transport = new HttpTransport({
      maxConnections: 4,
      connectTimeoutMs: 20_000,
      keepAliveTimeoutMs: 4000,
      poolTimeoutMs: 20_000,
      writeTimeoutMs: 20_000,
      tls: { ca: authority.cert },
      ...options,
    }));
  const serve = async (handler: Handler) => {
    const raw = createSecureServer(
      { ...authority.issue('localhost', '127.0.0.1'), allowHTTP1: true },
      handler,
    );
    raw.on('sessionError', () => undefined);
    raw.on('stream', (stream) => stream.on('error', () => undefined));
    raw.on('secureConnection', (socket: Socket) => socket.on('error', () => undefined));
    server = await listen(raw);
    origin = `https://localhost:${server.port}`;
  };
  const send = (options: Partial<TransportRequest> = {}) =>
    transport.request({
      origin,
      path: '/x',
      method: 'POST',
      firstByteTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      ...options,
    });
  const echo: Handler = (request, response) => {
    void buffer(request).then((body) => {
      response.setHeader('x-list', ['a', 'b']);
      response.setHeader('x-version', request.httpVersion);
      response.end(body);
    });
  };

  beforeEach(() => void use());

  afterEach(async () => {
    await transport.close(0);
    for (const socket of relayed.splice(0)) socket.destroy();
    await relay?.close();
    relay = undefined;
    await waitFor(() => server.sockets.size === 0, { what: 'no connection left' });
    await server.close();
  });

  it('is spoken where the server offers it, with the same answer', async () => {
    await serve(echo);
    const response = await send({ headers: ['x-one', '1'], body: Buffer.from('body') });
    expect([response.status, response.headers['x-version']]).toEqual([200, '2.0']);
    expect(response.headers['x-list']).toEqual('a, b');
    const { rawHeaders } = response;
    expect(rawHeaders[rawHeaders.indexOf('x-version') + 1]).toBe('2.0');
    expect(rawHeaders).not.toContain(':status');
    expect((await response.bytes()).toString()).toBe('body');
  });

  it('is not spoken where it is switched off', async () => {
    use({ http2: false });
    await serve(echo);
    expect((await send()).headers['x-version']).toBe('1.1');
  });

  it('shares one connection among many requests', async () => {
    const held: Http2ServerResponse[] = [];
    await serve((_, response) => void held.push(response));
    const sent = Array.from({ length: 50 }, () => send({ method: 'GET' }));
    await waitFor(() => held.length === 50, { what: 'all at once' });
    for (const response of held) response.end('ok');
    for (const response of await Promise.all(sent)) expect((await response.bytes()).toString()).toBe('ok');
    expect(server.accepted).toBe(1);
  });

  it('takes a streamed body', async () => {
    await serve(echo);
    const body = Buffer.alloc(1_000_000, 'abc');
    const response = await send({ body: Readable.from([body.subarray(0, 10), body.subarray(10)]) });
    expect((await response.bytes()).equals(body)).toBe(true);
  });

  it('gives up a request whose body is not taken, and spares the others on its connection', async () => {
    use({ writeTimeoutMs: 500 });
    const held: Http2ServerResponse[] = [];
    await serve((request, response) => {
      if (request.url === '/deaf') request.stream.pause();
      else held.push(response);
    });
    const other = send({ method: 'GET' });
    await waitFor(() => held.length === 1, { what: 'the other request' });
    const deaf = send({ path: '/deaf', body: Buffer.alloc(8e6) });
    await expect(deaf).rejects.toMatchObject({ reason: 'write_timeout', beforeResponse: true });
    held[0]?.end('ok');
    expect((await (await other).bytes()).toString()).toBe('ok');
    expect(server.accepted).toBe(1);
  });

  it.each<[string, Handler, string, Partial<TransportRequest>]>([
    ['no headers', () => undefined, 'first_byte_timeout', { firstByteTimeoutMs: 100 }],
    ['a reset before the headers', (request) => request.stream.close(2), 'reset', {}],
    ['the end of the connection', (request) => request.stream.session?.destroy(), 'reset', {}],
  ])('names the fault of %s', async (_, handler, reason, options) => {
    await serve(handler);
    await expect(send(options)).rejects.toMatchObject({ reason, beforeResponse: true });
  });

  it.each<[string, (response: Http2ServerResponse) => void, string]>([
    ['a reset in the body', (response) => response.stream.close(2), 'incomplete_body'],
    [
      'the end of the connection in the body',
      (response) => response.stream.session?.destroy(),
      'incomplete_body',
    ],
  ])('names the fault of %s', async (_, misbehave, reason) => {
    let held: Http2ServerResponse | undefined;
    await serve((__, response) => {
      held = response;
      response.write('first');
    });
    const { body } = await send();
    await once(body, 'data');
    if (held) misbehave(held);
    await expect(body.bytes()).rejects.toMatchObject({ reason, beforeResponse: false });
  });

  it('ends only the one stream on an abort', async () => {
    let closed = 0;
    await serve((request, response) => {
      request.stream.on('close', () => (closed += 1));
      if (request.url === '/held') response.write('first');
      else response.end('ok');
    });
    const aborter = new AbortController();
    const { body } = await send({ path: '/held', signal: aborter.signal });
    aborter.abort();
    await expect(body.bytes()).rejects.toMatchObject({ reason: 'aborted' });
    await waitFor(() => closed === 1, { what: 'the end of the stream' });
    expect((await (await send()).bytes()).toString()).toBe('ok');
    expect(server.accepted).toBe(1);
  });

  it('loses nothing of a response that comes while a streamed body is still on its way', async () => {
    await serve((_, response) => response.end('early'));
    const body = () => Readable.from([Buffer.alloc(200_000), Buffer.alloc(200_000)]);
    for (let call = 0; call < 50; call += 1)
      expect(String(await (await send({ body: body() })).bytes())).toBe('early');
  });

  it('does not take a response for whole whose connection ends right behind its beginning', async () => {
    use({ poolTimeoutMs: 20_000 });
    let asked = 0;
    await serve(({ stream }) => {
      void buffer(stream).then(
        () => {
          asked += 1;
          if (asked % 5 === 0) return stream.session?.destroy();
          stream.respond({ ':status': 200 });
          stream.write('some');
        },
        () => undefined,
      );
    });
    const ends = await Promise.all(
      Array.from({ length: 400 }, () =>
        send({ body: Buffer.alloc(30_000), idleTimeoutMs: 500 })
          .then((response) => response.bytes())
          .then(String, (error: TransportError) => error.reason),
      ),
    );
    expect(ends).not.toContain('some');
    expect(ends).toContain('incomplete_body');
  });

  it('closes a connection on which the server wants no more requests, also where the server does not', async () => {
    let session: Http2Session | undefined;
    await serve((_, response) => {
      response.end('last');
      ({ session } = response.stream);
      session?.goaway();
    });
    expect(String(await (await send({ method: 'GET' })).bytes())).toBe('last');
    await waitFor(() => transport.statusOf(origin).connected === 0, { what: 'the end' });
    // Node's server does not notice.
    session?.destroy();
  });

  it('replaces a connection that is dead without a sign after the first time-out on it', async () => {
    await serve(echo);
    relay = await listen(
      createServer((near) => {
        const far = connect(server.port, '127.0.0.1');
        for (const socket of [near, far]) relayed.push(socket.on('error', () => undefined));
        near.pipe(far).pipe(near);
      }),
    );
    // An address is never too old: nothing but the time-out can show it.
    origin = `https://127.0.0.1:${relay.port}`;
    const first = await send();
    expect([first.headers['x-version'], (await first.bytes()).length]).toEqual(['2.0', 0]);
    for (const socket of relayed) socket.unpipe().pause();
    const shared = send();
    await expect(send({ firstByteTimeoutMs: 100 })).rejects.toMatchObject({ reason: 'first_byte_timeout' });
    expect((await (await send()).bytes()).length).toBe(0);
    // The other request on the first connection has its own time; then the connection is given up.
    expect(transport.getStatus()[origin]).toMatchObject({ connected: 2, running: 1, opened: 2 });
    const [near, far] = relayed as [Socket, Socket];
    near.pipe(far).pipe(near);
    expect((await (await shared).bytes()).length).toBe(0);
    await waitFor(() => transport.getStatus()[origin]?.connected === 1, { what: 'the first one closed' });
    expect(transport.getStatus()[origin]?.faults).toEqual({ first_byte_timeout: 1 });
  });

  it('replaces a connection that is too old though it is never idle, and lets it end', async () => {
    use({ maxConnectionAgeMs: 50 });
    let held: Http2ServerResponse | undefined;
    await serve((request, response) => {
      if (request.url === '/held') held = response;
      if (request.url === '/held') response.write('old ');
      else response.end('ok');
    });
    const response = await send({ path: '/held', method: 'GET' });
    await waitFor(async () => (await (await send({ method: 'GET' })).bytes()) && server.accepted === 2, {
      what: 'a second connection',
    });
    held?.end('to its end');
    expect((await response.bytes()).toString()).toBe('old to its end');
    await waitFor(() => server.sockets.size === 1, { what: 'the end of the old connection' });
  });
});
