import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { LookupFunction } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CertificateAuthority, listen, type LocalServer, STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { HttpTransport, type HttpTransportOptions } from './http-transport.ts';

const authority = new CertificateAuthority('authority');
const credentials = authority.issue('model.test', '127.0.0.1');

interface ServerSettings {
  readonly keepAliveTimeout?: number;
  readonly secure?: boolean;
  readonly host?: string;
  readonly port?: number;
}

let transport: HttpTransport;
const servers: LocalServer[] = [];

/** @param address where it listens, if not on a free port. */
async function serve(
  listener: RequestListener,
  { keepAliveTimeout = 0, secure = false, ...address }: ServerSettings = {},
): Promise<LocalServer> {
  const server = secure
    ? createTlsServer({ ...credentials, keepAliveTimeout }, listener)
    : createServer({ keepAliveTimeout }, listener);
  const local = await listen(server, address);
  servers.push(local);
  return local;
}
const use = (options: Partial<HttpTransportOptions>) =>
  (transport = new HttpTransport({
    maxConnections: 10,
    connectTimeoutMs: 20_000,
    keepAliveTimeoutMs: 10_000,
    tls: { ca: authority.cert },
    ...options,
  }));
const send = (origin: string) =>
  transport.request({ origin, path: '/', method: 'GET', firstByteTimeoutMs: 20_000, idleTimeoutMs: 20_000 });
const ask = async (origin: string) => (await (await send(origin)).bytes()).toString();
const wave = (origin: string, size: number) => Promise.all(Array.from({ length: size }, () => ask(origin)));

afterEach(async () => {
  jest.useRealTimers();
  await transport.close(0);
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe('idle connections', () => {
  const slowly: RequestListener = (_, response) => void setTimeout(() => response.end('ok'), 20);

  it('are kept up to maxKeepalive; the rest is closed, and those kept are used', async () => {
    use({ maxKeepalive: 2 });
    const server = await serve(slowly);
    const { origin } = server;
    await wave(origin, 10);
    expect([server.accepted, server.sockets.size]).toEqual([10, 10]);
    await waitFor(() => server.sockets.size === 2, { what: 'eight closed' });
    for (let round = 0; round < 5; round += 1) {
      await wave(origin, 2);
      await waitFor(() => transport.getStatus()[origin]?.free === 2, { what: 'two idle connections' });
    }
    expect([server.accepted, server.sockets.size]).toEqual([10, 2]);
    expect(transport.getStatus()[origin]?.connected).toBe(2);
  });

  it('that load in waves needs are kept, and only what no wave needs is closed', async () => {
    // What no wave needs is looked for by this clock.
    jest.useFakeTimers(STOPPED_CLOCK);
    use({ maxKeepalive: 1 });
    const held: ServerResponse[] = [];
    const server = await serve((_, response) => void held.push(response));
    const { origin } = server;
    const waveOf = async (size: number) => {
      const answers = wave(origin, size);
      await waitFor(() => held.length === size, { what: 'the whole wave' });
      for (const response of held.splice(0)) response.end('ok');
      await answers;
      await waitFor(() => (transport.getStatus()[origin]?.free ?? 0) >= size, {
        what: 'the end of the wave',
      });
      jest.advanceTimersByTime(500);
    };
    await waveOf(10);
    await waveOf(5);
    await waitFor(() => server.sockets.size === 6, { what: 'what no wave needs closed' });
    for (let round = 0; round < 5; round += 1) await waveOf(5);
    expect([server.accepted, transport.getStatus()[origin]?.connected]).toEqual([10, 6]);
  });

  it('number 20 at most without that option', async () => {
    use({ maxConnections: 30 });
    const server = await serve(slowly);
    const { origin } = server;
    await wave(origin, 30);
    expect(server.sockets.size).toBe(30);
    await waitFor(() => server.sockets.size === 20, { what: 'ten closed' });
  });

  it('are closed two seconds before the server would do so, where it says when', async () => {
    use({ keepAliveTimeoutMs: 60_000 });
    const server = await serve(slowly, { keepAliveTimeout: 5000 });
    const { origin } = server;
    await wave(origin, 3);
    let ended = 0;
    for (const socket of server.sockets) socket.once('end', () => (ended += 1));
    await waitFor(() => server.sockets.size === 0, { what: 'all closed' });
    // The server itself would cut them.
    expect(ended).toBe(3);
  });

  it.each([
    ['the server names no time', 0],
    ['the server names a longer time', 60_000],
  ])('are closed after keepAliveTimeoutMs where %s', async (_, named) => {
    use({ keepAliveTimeoutMs: 300 });
    const server = await serve(slowly, { keepAliveTimeout: named });
    const { origin } = server;
    const start = performance.now();
    await wave(origin, 3);
    await waitFor(() => server.sockets.size === 0, { what: 'all closed' });
    expect(performance.now() - start).toBeGreaterThan(250);
    expect(transport.getStatus()[origin]?.connected).toBe(0);
  });
});

describe.each(['http', 'https'])('a name whose record changes, over %s', (scheme) => {
  const secure = scheme === 'https';
  let address = '127.0.0.1';
  let lookups: string[] = [];
  const lookup: LookupFunction = (name, options, callback) => {
    lookups.push(name);
    if (options.all) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
  const serveBoth = async (oldListener: RequestListener) => {
    const { port } = await serve(oldListener, { secure });
    await serve((_, response) => response.end('new'), { secure, host: '127.0.0.2', port });
    [address, lookups] = ['127.0.0.1', []];
    return `${scheme}://model.test:${port}`;
  };

  it('is honoured as soon as the connection is old enough, not before', async () => {
    use({ lookup, maxConnectionAgeMs: 200, maxConnections: 1 });
    const origin = await serveBoth((_, response) => response.end('old'));
    const start = performance.now();
    expect(await ask(origin)).toBe('old');
    address = '127.0.0.2';
    await waitFor(async () => (await ask(origin)) === 'new', { what: 'the new one' });
    expect(performance.now() - start).toBeGreaterThan(200);
    expect(lookups).toEqual(['model.test', 'model.test']);
    await waitFor(() => servers[0]?.sockets.size === 0, { what: 'the old connection closed' });
  });

  it('is honoured under load that never lets the queue run empty, and no request is lost', async () => {
    use({ lookup, maxConnectionAgeMs: 100, maxConnections: 2 });
    const origin = await serveBoth((_, response) => void setTimeout(() => response.end('old'), 10));
    const first = wave(origin, 2);
    await first;
    address = '127.0.0.2';
    const answers = await wave(origin, 100);
    expect(answers.filter((answer) => answer === 'old').length).toBeLessThan(50);
    expect(answers.at(-1)).toBe('new');
    // How many new ones there are is a matter of speed: one may have done all before the second is made, and new ones grow old.
    expect(servers[0]?.accepted).toBe(2);
    await waitFor(() => servers[0]?.sockets.size === 0, { what: 'both old connections closed' });
  });

  it('leaves a response that is under way alone', async () => {
    use({ lookup, maxConnectionAgeMs: 50 });
    let stream: ServerResponse | undefined;
    const origin = await serveBoth((_, response) => {
      stream = response;
      response.write('old ');
    });
    const response = await send(origin);
    address = '127.0.0.2';
    const end = performance.now() + 100;
    await waitFor(() => performance.now() > end, { what: 'the connection to be old' });
    expect(await ask(origin)).toBe('new');
    stream?.end('to its end');
    expect((await response.bytes()).toString()).toBe('old to its end');
  });

  it('costs nothing where the origin is an address', async () => {
    use({ maxConnectionAgeMs: 1 });
    const server = await serve((_, response) => response.end('ok'), { secure });
    const origin = `${scheme}://127.0.0.1:${server.port}`;
    for (let round = 0; round < 5; round += 1) {
      await ask(origin);
      await waitFor(() => transport.getStatus()[origin]?.free === 1, { what: 'the connection back' });
    }
    expect(server.accepted).toBe(1);
  });
});
