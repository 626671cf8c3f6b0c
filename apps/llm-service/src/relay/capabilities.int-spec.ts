import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort, listen, type LocalServer, postJson, waitFor } from '@morgan/testing';
import { serve, type Served } from '../../fixture/served.ts';

const NAMES = ['plain', 'able', 'broken', 'continuing'] as const;
const CONTEXT_TOKENS = 1_000;

const servers: LocalServer[] = [];
const gateways: Served[] = [];
/** Whom requests went to, in their order, with their bodies. */
const asked: { readonly host: string; readonly body: string }[] = [];
let origin: string;

beforeAll(async () => {
  const hosts = await Promise.all(NAMES.map((name) => startHost(name)));
  const limited = {
    tools: false,
    vision: false,
    contextLength: CONTEXT_TOKENS,
    endpoints: ['/chat/completions'],
  };
  const plain = { host: 'plain', capabilities: limited };
  const continuing = { host: 'continuing', capabilities: { prefixContinuation: 'vllm' } };
  origin = await serveWith({
    hosts,
    strategy: 'round_robin',
    routes: [
      { model: 'mixed', tiers: [[plain, { host: 'able' }]] },
      { model: 'limited', tiers: [[plain]] },
      {
        model: 'continued',
        tiers: [[{ host: 'broken' }], [{ host: 'plain' }, { host: 'able' }], [continuing]],
      },
    ],
  });
});

afterAll(async () => {
  for (const gateway of gateways) await gateway.close();
  for (const server of servers) await server.close();
});

beforeEach(() => {
  asked.length = 0;
});

async function startHost(name: string, port = 0): Promise<{ name: string; url: string }> {
  const server = await listen((request, response) => reply(name, request, response), { port });
  servers.push(server);
  return { name, url: `${server.origin}/v1` };
}

async function reply(host: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks = (await request.toArray()) as Buffer[];
  const body = Buffer.concat(chunks).toString();
  if (request.method === 'GET') return void response.writeHead(404).end();
  asked.push({ host, body });
  const isStream = body.includes('"stream":true');
  response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
  if (!isStream) return void response.end('{"choices":[{"message":{"content":"hello"}}]}');
  const event = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  response.write(event({ content: 'hello ' }));
  if (host === 'broken') return void setTimeout(() => response.destroy(), 20);
  return void response.end(`${event({ content: 'world' })}${event({}, 'stop')}data: [DONE]\n\n`);
}

/** Starts a gateway in this process. @returns its origin. */
async function serveWith(upstream: object): Promise<string> {
  const gateway = await serve({ LLM_PROBE_INTERVAL_MS: '50' }, { llmService: { upstream } });
  gateways.push(gateway);
  await gateway.parts.start();
  return gateway.url;
}

async function ask(path: string, body: object) {
  const response = await postJson(origin + path, body);
  const text = await response.text();
  return { status: response.status, text, header: (name: string) => response.headers.get(name) };
}

const CHAT = '/v1/chat/completions';
const chat = (content: unknown, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more });
const hosts = () => asked.map(({ host }) => host);

describe.each([
  ['tools', CHAT, chat('x', { tools: [{ type: 'function' }] }), 'unsupported_by_model', 'takes tools.'],
  [
    'images',
    CHAT,
    chat([{ type: 'image_url', image_url: { url: 'data:,' } }]),
    'unsupported_by_model',
    'takes images.',
  ],
  [
    'an endpoint',
    '/v1/completions',
    { prompt: 'x' },
    'unsupported_by_model',
    'takes requests of this endpoint.',
  ],
  [
    'a long context',
    CHAT,
    chat('long '.repeat(2 * CONTEXT_TOKENS)),
    'context_length_exceeded',
    `bytes, as the longest context is ${CONTEXT_TOKENS} tokens.`,
  ],
] as const)('a request that needs %s', (_, path, body, code, words) => {
  it.each([false, true])('goes only where it can be served, streamed: %s', async (stream) => {
    for (let count = 0; count < 4; count += 1) {
      const { status, header } = await ask(path, { model: 'mixed', stream, ...body });
      expect([status, header('x-morgan-host')]).toEqual([200, 'able']);
    }
    expect(hosts()).toEqual(Array(4).fill('able'));
  });

  it.each([false, true])('is refused by name where no host takes it, streamed: %s', async (stream) => {
    const { status, text, header } = await ask(path, { model: 'limited', stream, ...body });
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    expect([status, error.code, header('x-morgan-host'), header('retry-after')]).toEqual([
      400,
      code,
      'gateway',
      null,
    ]);
    expect(error.message).toMatch(/^No host of this model takes /);
    expect(error.message).toContain(words);
    expect(asked).toEqual([]);
  });
});

describe('a request that every host can serve', () => {
  it('goes to all of them', async () => {
    for (let count = 0; count < 4; count += 1)
      expect((await ask(CHAT, { model: 'mixed', ...chat('x') })).status).toBe(200);
    expect(hosts().sort()).toEqual(['able', 'able', 'plain', 'plain']);
  });

  it('is served by the host that takes no others', async () => {
    expect((await ask(CHAT, { model: 'limited', ...chat('x') })).header('x-morgan-host')).toBe('plain');
  });
});

describe('a stream that breaks', () => {
  it('is continued by the host that can, though others come before it', async () => {
    const { text } = await ask(CHAT, { model: 'continued', stream: true, ...chat('x') });
    expect(text).toContain('[DONE]');
    expect(hosts()).toEqual(['broken', 'continuing']);
    expect(asked[1]?.body).toContain('continue_final_message');
  });
});

describe('/readyz while no host works', () => {
  const statusOf = async (url: string) => (await fetch(`${url}/readyz`)).status;

  it('is 503 with `readiness: hosts`, and 200 without', async () => {
    const port = await freePort();
    const dead = { name: 'dead', url: `http://127.0.0.1:${port}/v1` };
    const [ofHosts, ofProcess] = [
      await serveWith({ hosts: [dead], readiness: 'hosts' }),
      await serveWith({ hosts: [dead] }),
    ];
    expect([await statusOf(ofHosts), await statusOf(ofProcess)]).toEqual([503, 200]);
    const { status, health } = await fetch(`${ofProcess}/health`).then(async (response) => ({
      status: response.status,
      health: await response.text(),
    }));
    expect([status, health]).toEqual([200, expect.stringContaining('degraded')]);
    await startHost('dead', port);
    await waitFor(async () => (await statusOf(ofHosts)) === 200, {
      what: 'readiness of a host that is back',
    });
  });
});
