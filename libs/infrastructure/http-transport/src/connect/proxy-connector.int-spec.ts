import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority, ForwardProxy, listen } from '@morgan/testing';
import { FullListener } from '../../fixture/full-listener.ts';
import { HttpTransport, type HttpTransportOptions } from '../http-transport.ts';
import { isProxied } from './proxy-connector.ts';

const authority = new CertificateAuthority('authority');
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function portOf(server: Server): Promise<number> {
  const local = await listen(server);
  closers.push(() => local.close());
  return local.port;
}

async function proxyTo(port?: number, status?: number) {
  const proxy = new ForwardProxy(() => ({ port, ...(status && { status }) }));
  closers.push(() => proxy.close());
  return { asked: proxy.asked, url: `http://user:p%40ss@127.0.0.1:${await proxy.listen()}` };
}

/** What a proxy notes of a request to this name with these credentials. */
const noted = (to: string, credentials: string) => ({
  to,
  credentials: `Basic ${Buffer.from(credentials).toString('base64')}`,
});

async function secureHost(name: string, says = 'yes'): Promise<number> {
  return portOf(createHttpsServer(authority.issue(name), (_, response) => response.end(says)));
}

async function full(): Promise<FullListener> {
  const listener = await FullListener.open();
  closers.push(() => listener.close());
  return listener;
}

/** The proxy says that the way is open, and whoever is at its end says nothing. */
async function tunnelToNowhere() {
  return proxyTo(await portOf(createTcpServer((socket) => socket.resume())));
}

function transportOver(
  proxy: { url: string; except?: string },
  options: HttpTransportOptions = {},
): HttpTransport {
  const transport = new HttpTransport({ tls: { ca: authority.cert }, proxy, http2: false, ...options });
  closers.push(() => transport.close(0));
  return transport;
}

describe('a forward proxy', () => {
  it('carries requests to a name that only it can reach, inside of TLS', async () => {
    const port = await secureHost('llm.example');
    const { asked, url } = await proxyTo(port);
    const transport = transportOver({ url });
    const response = await transport.request({ origin: 'https://llm.example', path: '/', method: 'GET' });
    expect((await response.bytes()).toString()).toBe('yes');
    expect(asked).toEqual([noted('llm.example:443', 'user:p@ss')]);
  });

  it('may be an address of IPv6', async () => {
    const port = await secureHost('llm.example');
    const { asked, url } = await proxyTo(port);
    const transport = transportOver({ url: url.replace('127.0.0.1', '[::ffff:127.0.0.1]') });
    const response = await transport.request({ origin: 'https://llm.example', path: '/', method: 'GET' });
    expect((await response.bytes()).toString()).toBe('yes');
    expect(asked).toHaveLength(1);
  });

  it('is asked for an address of IPv6 in brackets', async () => {
    const { asked, url } = await proxyTo(undefined, 403);
    const request = transportOver({ url }).request({ origin: 'https://[fd00::1]', path: '/', method: 'GET' });
    await expect(request).rejects.toMatchObject({ reason: 'connect_failed' });
    expect(asked).toEqual([noted('[fd00::1]:443', 'user:p@ss')]);
  });

  it('that refuses is a failed connection', async () => {
    const { url } = await proxyTo(undefined, 403);
    const request = transportOver({ url }).request({
      origin: 'https://llm.example',
      path: '/',
      method: 'GET',
    });
    await expect(request).rejects.toMatchObject({ reason: 'connect_failed' });
  });

  it.each([
    ['pa%ss', 'pa%ss'],
    ['p%40s%', 'p@s%'],
  ])('may have a password that is not encoded as a URL wants it, such as %s', async (written, sent) => {
    const { asked, url } = await proxyTo(undefined, 407);
    const request = transportOver({ url: url.replace('p%40ss', written) }).request({
      origin: 'https://llm.example',
      path: '/',
      method: 'GET',
    });
    await expect(request).rejects.toMatchObject({ cause: { message: expect.stringContaining('407') } });
    expect(asked).toEqual([noted('llm.example:443', `user:${sent}`)]);
  });

  it('may open the tunnel with any status of success', async () => {
    const port = await secureHost('llm.example');
    const { url } = await proxyTo(port, 201);
    const request = { origin: 'https://llm.example', path: '/', method: 'GET' } as const;
    expect((await transportOver({ url }).request(request)).status).toBe(200);
  });

  it.each([
    ['takes no connection', async () => (await full()).port],
    [
      'never answers CONNECT',
      async () => portOf(createServer().on('connect', (__, socket) => socket.pipe(socket))),
    ],
    ['opens a tunnel to nowhere', async () => Number(new URL((await tunnelToNowhere()).url).port)],
  ])('that %s has the time for a connection and no more', async (_, portOf) => {
    const url = `http://127.0.0.1:${await portOf()}`;
    const transport = transportOver({ url }, { connectTimeoutMs: 200, readTimeoutMs: 20_000 });
    const request = transport.request({ origin: 'https://llm.example', path: '/', method: 'GET' });
    await expect(request).rejects.toMatchObject({ reason: 'connect_timeout' });
    expect(transport.statusOf('https://llm.example')).toMatchObject({ running: 0, waiting: 0 });
  });

  it('is passed by where the origin is excepted', async () => {
    const port = await secureHost('localhost', 'direct');
    const { asked, url } = await proxyTo();
    const transport = transportOver({ url, except: 'localhost' });
    const response = await transport.request({
      origin: `https://localhost:${port}`,
      path: '/',
      method: 'GET',
    });
    expect((await response.bytes()).toString()).toBe('direct');
    expect(asked).toEqual([]);
  });

  it.each([
    ['https://a.example', '', true],
    ['http://a.example', '', false],
    ['https://a.example', 'example', false],
    ['https://a.example', '.example', false],
    ['https://a.example', '*.example, b', false],
    ['https://a.example', 'a.example:8443', true],
    ['https://a.example:8443', 'a.example:8443', false],
    ['https://notexample', 'example', true],
    ['https://a.example', '*', false],
    ['https://a.example.', '.example', false],
    ['https://bücher.example', '*.bücher.example', false],
    ['https://a.example', 'not a name_, %%', true],
    ['https://a.example', 'a.example.', false],
  ])('of %s except %j: %s', (origin, except, expected) => {
    expect(isProxied(origin, { url: 'http://proxy', except })).toBe(expected);
  });
});
