import type { Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority, ForwardProxy, listen } from '@morgan/testing';
import { CHAT, entry, errorOf } from '../../fixture/client-bench.ts';
import { chat, models, ScriptedHost } from '../../fixture/scripted-host.ts';
import { DistributedLlmClient } from './distributed-llm.client.ts';

/** Names that nobody but the proxy can resolve. */
const NAMES = ['one.llm.example', 'two.llm.example'] as const;
const PASSWORD = 'p@ss';

const authority = new CertificateAuthority('authority');
const closers: (() => Promise<unknown>)[] = [];
/** What it refuses to connect to. */
let refused: ReadonlySet<string>;
let proxy: ForwardProxy;
/** How many chats each host was asked, by its name. */
let asked: Record<string, number>;
/** The ports of {@link NAMES}. */
let ports: Map<string, number>;

beforeEach(async () => {
  asked = {};
  refused = new Set();
  ports = new Map();
  for (const name of [...NAMES, 'localhost']) {
    const host = await listen(tlsHost(name));
    closers.push(() => host.close());
    ports.set(name, host.port);
  }
  proxy = new ForwardProxy((name) => (refused.has(name) ? { status: 403 } : { port: ports.get(name) }));
  await proxy.listen();
  closers.push(() => proxy.close());
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function tlsHost(name: string): Server {
  return createHttpsServer(authority.issue(name), (request, response) => {
    void text(request).then((body) => {
      if (request.method === 'GET') return models('simulated')(response, request, body);
      asked[name] = (asked[name] ?? 0) + 1;
      return chat('hello')(response, request, body);
    });
  });
}

/** A client of hosts behind TLS, each by the name in its certificate. */
function clientOf(names: readonly string[], more: ReturnType<typeof entry>[] = []): DistributedLlmClient {
  const tls = { ca: authority.cert };
  const hosts = names.map((name) => {
    const port = name === 'localhost' ? `:${ports.get(name)}` : '';
    return entry(name.split('.')[0] as string, `https://${name}${port}/v1`, { tls });
  });
  const client = new DistributedLlmClient({
    hosts: [...hosts, ...more],
    strategy: 'round_robin',
    connectTimeoutMs: 2_000,
    proxy: {
      url: `http://user:${encodeURIComponent(PASSWORD)}@127.0.0.1:${proxy.port}`,
      except: 'localhost',
    },
  });
  closers.push(() => client.stop());
  return client;
}

describe('a forward proxy', () => {
  it('carries calls, streams and probes to hosts that only it can reach', async () => {
    const client = clientOf(NAMES);
    await client.start();
    expect(await client.healthCheckAll()).toEqual({ one: true, two: true });
    for (let count = 0; count < 2; count += 1) await client.post('/chat/completions', CHAT);
    const events: unknown[] = [];
    for await (const event of client.stream('/chat/completions', CHAT)) events.push(event);
    expect(events.length).toBeGreaterThan(0);
    expect(asked).toEqual({ 'one.llm.example': expect.any(Number), 'two.llm.example': expect.any(Number) });
    const credentials = `Basic ${Buffer.from(`user:${PASSWORD}`).toString('base64')}`;
    for (const name of NAMES) expect(proxy.asked).toContainEqual({ to: `${name}:443`, credentials });
  });

  it('is passed by for a host that is excepted, and for one without TLS', async () => {
    await using plain = await ScriptedHost.start();
    const client = clientOf(['localhost'], [entry('plain', plain.url)]);
    for (let count = 0; count < 2; count += 1) await client.post('/chat/completions', CHAT);
    expect([asked['localhost'], plain.asked, proxy.asked]).toEqual([1, 1, []]);
  });

  it('that refuses one host costs no call: another takes it', async () => {
    refused = new Set(['one.llm.example']);
    const client = clientOf(NAMES);
    for (let count = 0; count < 3; count += 1)
      expect(await client.post('/chat/completions', CHAT)).toMatchObject({ host: 'two' });
    expect(client.getMetrics()['one']?.lastError).toBe('connect_error');
    expect(proxy.asked.map(({ to }) => to)).toContain('one.llm.example:443');
    expect(asked).toEqual({ 'two.llm.example': 3 });
  });

  it('that refuses every host is a clear 503, without its address or its password', async () => {
    refused = new Set(NAMES);
    const error = await errorOf(clientOf(NAMES).post('/chat/completions', CHAT));
    expect(error).toMatchObject({ status: 503, code: 'no_host_available' });
    expect(error.message).not.toMatch(/127\.0\.0\.1|p@ss|p%40ss/);
  });
});
