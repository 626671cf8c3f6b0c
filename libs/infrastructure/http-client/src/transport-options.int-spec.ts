import { createSecureServer } from 'node:http2';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority, listen, waitFor } from '@morgan/testing';
import { codeOf, hang, openClient } from '../fixture/open-client.ts';
import { respond, type ScriptedServer } from '../fixture/scripted-server.ts';
import { HttpClient } from './http-client.ts';
import type { HttpClientSettings } from './http-client.config.ts';

/** Far below the defaults, which a setting that is lost would leave in force. */
const BUSY_MS = 3_000;
const ONE_TRY = { maxRetries: 0 };

let server: ScriptedServer | undefined;
let client: HttpClient;

async function clientOf(turn: typeof hang, options: Partial<HttpClientSettings>): Promise<ScriptedServer> {
  const open = await openClient([turn], { retry: ONE_TRY, ...options });
  ({ client, server } = open);
  return open.server;
}

async function timed(call: Promise<unknown>) {
  const startedAt = performance.now();
  return { code: await codeOf(call), tookMs: performance.now() - startedAt };
}

afterEach(async () => {
  await client.stop(0);
  await server?.close();
  server = undefined;
});

describe('the time limit', () => {
  it('connectMs ends the wait for a connection', async () => {
    const options = {
      serviceName: 'lost',
      baseUrl: 'http://model.test',
      retry: ONE_TRY,
      timeout: { connectMs: 100 },
    };
    client = new HttpClient({ ...options, lookup: () => undefined });
    const { code, tookMs } = await timed(client.get('/'));
    expect(code).toBe('connect_timeout');
    expect(tookMs).toBeLessThan(BUSY_MS);
  });

  it('poolMs ends the wait for a connection of others', async () => {
    const { requests } = await clientOf(hang, { pool: { maxConnections: 1 }, timeout: { poolMs: 100 } });
    const first = codeOf(client.get('/'));
    await waitFor(() => requests.length === 1, { what: 'the first request' });
    const { code, tookMs } = await timed(client.get('/'));
    expect(code).toBe('pool_timeout');
    expect(tookMs).toBeLessThan(BUSY_MS);
    await client.stop(0);
    expect(await first).toBe('closed');
  });

  it('writeMs ends the wait for a server that reads no more', async () => {
    await using deaf = await listen(createServer((socket) => socket.pause()));
    const baseUrl = deaf.origin;
    client = new HttpClient({ serviceName: 'deaf', baseUrl, retry: ONE_TRY, timeout: { writeMs: 200 } });
    const { code, tookMs } = await timed(client.post('/', { body: Buffer.alloc(64 * 1024 * 1024) }));
    expect(code).toBe('write_timeout');
    expect(tookMs).toBeLessThan(BUSY_MS);
  });
});

describe('the pool', () => {
  it('has no more connections than maxConnections', async () => {
    const { sockets } = await clientOf(hang, { pool: { maxConnections: 3 } });
    const calls = Array.from({ length: 9 }, () => codeOf(client.get('/')));
    await waitFor(() => client.connections.running === 3, { what: 'three requests' });
    expect(client.connections.waiting).toBe(6);
    await waitFor(() => sockets.size === 3, { what: 'three connections at the server' });
    await client.stop(0);
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['closed']));
  });

  it('keeps no more idle ones than maxKeepalive, and none longer than keepAliveTimeoutMs', async () => {
    const slowly: typeof hang = (socket, request) => void setTimeout(() => respond(200)(socket, request), 20);
    const pool = { maxKeepalive: 2, keepAliveTimeoutMs: 3_000 };
    const { sockets } = await clientOf(slowly, { pool });
    await Promise.all(Array.from({ length: 6 }, () => client.get('/')));
    await waitFor(() => sockets.size === 2, { what: 'four closed' });
    await waitFor(() => sockets.size === 0, { what: 'the others closed' });
  });

  it.each([
    [true, '2.0'],
    [false, '1.1'],
  ])('with http2 %s speaks HTTP/%s with a server that offers both', async (http2, version) => {
    const authority = new CertificateAuthority('authority');
    const server = createSecureServer(
      { ...authority.issue('localhost'), allowHTTP1: true },
      (request, response) => response.end(request.httpVersion),
    );
    await using both = await listen(server);
    const baseUrl = `https://localhost:${both.port}`;
    client = new HttpClient({ serviceName: 'both', baseUrl, pool: { http2 }, tls: { ca: authority.cert } });
    expect((await client.get('/')).text()).toBe(version);
    await client.stop(0);
  });
});
