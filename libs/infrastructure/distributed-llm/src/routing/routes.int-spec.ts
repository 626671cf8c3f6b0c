import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CertificateAuthority, listen, waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, errorOf, send } from '../../fixture/client-bench.ts';
import { chat, json, models, refusal, type Reply, ScriptedHost } from '../../fixture/scripted-host.ts';
import { TestHosts } from '../../fixture/test-hosts.ts';
import { DistributedLlmClient } from '../client/distributed-llm.client.ts';
import { HostError } from '../client/host-error.ts';

const bench = new ClientBench();
const opened = new TestHosts();

afterEach(async () => {
  await bench.close();
  await opened.close();
});

/** Two hosts behind a route: `small` first, `large` when that cannot serve. */
async function fallback(settings: Record<string, unknown> = {}) {
  const [small, large] = [await opened.scripted(), await opened.scripted()];
  const tiers = [[{ host: 'small', model: 'tiny' }], [{ host: 'large', model: 'huge' }]];
  const routes = [{ model: 'assistant', tiers }];
  const client = bench.client([entry('small', small.url), entry('large', large.url)], {
    routes,
    ...settings,
  });
  return { small, large, client };
}

const ask = async (client: DistributedLlmClient, body: string) => {
  const response = await send(client, { body: Buffer.from(body) });
  return { ...response, says: (await response.body.bytes()).toString() };
};
/** What hosts are made with. */
const RELOADED = {
  firstByteTimeoutMs: 2_000,
  answerTimeoutMs: 20_000,
  probeIntervalMs: 60_000,
  probeTimeoutMs: 500,
};
const ASSISTANT = '{"messages":[{"role":"user","content":"model"}],  "model" : "assistant" ,"n":1.0}';

describe('a route', () => {
  it('replaces the bytes of the model and no others, and says which model answered', async () => {
    const { small, client } = await fallback();
    expect(await ask(client, ASSISTANT)).toMatchObject({ host: 'small', model: 'tiny', attempts: 1 });
    expect(small.bodies).toEqual([ASSISTANT.replace('"assistant"', '"tiny"')]);
  });

  it('goes to the lower tier when the one above fails, after one more try there', async () => {
    const { small, large, client } = await fallback();
    small.reply = refusal(500, 'CUDA error');
    expect(await ask(client, ASSISTANT)).toMatchObject({ host: 'large', model: 'huge', attempts: 3 });
    expect([small.asked, large.asked]).toEqual([2, 1]);
  });

  it('waits for the tier above where that is short', async () => {
    const { small, large, client } = await fallback();
    small.reply = (...exchange) => {
      const full = refusal(429, 'Full.', { headers: { 'retry-after-ms': '100' } });
      const reply = small.asked < 2 ? full : chat('hello');
      reply(...exchange);
    };
    expect(await ask(client, ASSISTANT)).toMatchObject({ host: 'small', attempts: 2 });
    expect(large.asked).toBe(0);
  });

  it('waits once for a tier above that is full again behind its own time, and later calls not at all', async () => {
    const { small, large, client } = await fallback();
    small.reply = refusal(429, 'Full.', { headers: { 'retry-after-ms': '500' } });
    expect(await ask(client, ASSISTANT)).toMatchObject({ host: 'large', attempts: 3 });
    expect(await ask(client, ASSISTANT)).toMatchObject({ host: 'large', attempts: 1 });
    expect([small.asked, large.asked]).toEqual([2, 2]);
  });

  it('takes a context that is too long to a larger target, and to no other', async () => {
    const [a, b] = [
      await opened.scripted(refusal(400, 'x', { code: 'context_length_exceeded' })),
      await opened.scripted(),
    ];
    const list = [entry('a', a.url, { capabilities: { contextLength: 1_000 } }), entry('b', b.url)];
    const client = bench.client(list);
    expect(await ask(client, ASSISTANT)).toMatchObject({ host: 'a', status: 400 });
    expect(b.asked).toBe(0);
    const larger = bench.client([
      entry('a', a.url, { capabilities: { contextLength: 1_000 } }),
      entry('b', b.url, { capabilities: { contextLength: 8_000 } }),
    ]);
    expect(await ask(larger, ASSISTANT)).toMatchObject({ host: 'b', status: 200 });
  });

  it.each([
    ["This model's maximum context length is 4096 tokens.", 8_000, 'b'],
    ["The input (5000 tokens) is longer than the model's context length (4096 tokens).", 8_000, 'b'],
    ['prompt is too long: 5000 tokens > 4096 maximum', 8_000, 'b'],
    ['prompt is too long: 5000 tokens > 4096 maximum', 4_096, 'a'],
    ['prompt is too long', 8_000, 'a'],
  ])('believes a target that says %j, beside one of %d', async (message, contextLength, answers) => {
    const [a, b] = [await opened.scripted(refusal(400, message)), await opened.scripted()];
    const tiers = [[{ host: 'a' }], [{ host: 'b' }]];
    const client = bench.client([entry('a', a.url), entry('b', b.url, { capabilities: { contextLength } })], {
      routes: [{ model: 'assistant', tiers }],
    });
    expect(await ask(client, ASSISTANT)).toMatchObject({ host: answers });
  });

  it.each<[string, string, object, string]>([
    ['of another model', 'large', {}, 'b'],
    ['of another model, whose length is known', 'large', { contextLength: 8_000 }, 'b'],
    ['of the same model', 'small', {}, 'a'],
  ])('asks a target that may be larger: %s', async (_, model, capabilities, answers) => {
    const [a, b] = [await opened.scripted(refusal(400, 'prompt is too long')), await opened.scripted()];
    const tiers = [[{ host: 'a', model: 'small' }], [{ host: 'b', model }]];
    const client = bench.client([entry('a', a.url), entry('b', b.url, { capabilities })], {
      routes: [{ model: 'assistant', tiers }],
    });
    expect(await ask(client, ASSISTANT)).toMatchObject({ host: answers });
  });

  it('asks each model once that may be larger, and tells what the last of them said', async () => {
    const says = (limit: string) =>
      opened.scripted(refusal(400, `the prompt is too long: 9 tokens > ${limit} maximum`));
    const hosts = [await says('1000'), await says('2000'), await says('1000'), await says('4000')];
    const tiers = hosts.map((_, at) => [{ host: `h${at}`, model: `m${at % 3}` }]);
    const client = bench.client(
      hosts.map(({ url }, at) => entry(`h${at}`, url)),
      { routes: [{ model: 'assistant', tiers }] },
    );
    expect(await ask(client, ASSISTANT)).toMatchObject({ host: 'h2', status: 400, attempts: 3 });
    expect(hosts.map(({ asked }) => asked)).toEqual([1, 1, 1, 0]);
  });

  it.each([
    ['of another model, which may be larger', {}, {}, 429],
    ['that is larger', { contextLength: 8_000 }, { contextLength: 1_000 }, 429],
    ['that is no larger', { contextLength: 1_000 }, { contextLength: 8_000 }, 400],
  ])('is told of a target above %s, where the one below says "too long"', async (_, high, low, status) => {
    const [above, below] = [
      await opened.scripted(refusal(429, 'Full.', { headers: { 'retry-after': '60' } })),
      await opened.scripted(refusal(400, 'too long', { code: 'context_length_exceeded' })),
    ];
    const tiers = [[{ host: 'above', model: 'x' }], [{ host: 'below', model: 'y' }]];
    const hosts = [
      entry('above', above.url, { capabilities: high }),
      entry('below', below.url, { capabilities: low }),
    ];
    const client = bench.client(hosts, { routes: [{ model: 'assistant', tiers }] });
    expect(await ask(client, ASSISTANT)).toMatchObject({ status });
  });

  it('knows from the list of models how long a context may be', async () => {
    const list = json(200, { data: [{ id: 'assistant', max_model_len: 32_000 }] });
    const [a, b] = [
      await opened.scripted(refusal(400, 'maximum context length is 10')),
      await opened.scripted(chat('hello'), list),
    ];
    const client = bench.client([
      entry('a', a.url, { capabilities: { contextLength: 10 } }),
      entry('b', b.url),
    ]);
    await client.start();
    expect(await ask(client, '{"model":"assistant","messages":[]}')).toMatchObject({
      host: 'b',
      status: 200,
    });
  });

  it('sends a request only where it can be served', async () => {
    const [plain, able] = [await opened.scripted(), await opened.scripted()];
    const client = bench.client([
      entry('plain', plain.url, {
        capabilities: { tools: false, vision: false, endpoints: ['/chat/completions'] },
      }),
      entry('able', able.url),
    ]);
    const tools = JSON.stringify({ ...CHAT, tools: [{ type: 'function' }] });
    const vision = JSON.stringify({
      ...CHAT,
      messages: [{ role: 'user', content: [{ type: 'image_url' }] }],
    });
    for (const body of [tools, vision, tools, vision])
      expect(await ask(client, body)).toMatchObject({ host: 'able' });
    const response = await send(client, { path: '/completions' });
    expect(response.host).toBe('able');
    await response.body.bytes();
    expect(plain.asked).toBe(0);
  });

  it('is told nothing of the rest of a target that could not serve it', async () => {
    const full = refusal(429, 'Full.', { headers: { 'retry-after': '60' } });
    const [plain, able] = [await opened.scripted(full), await opened.scripted()];
    const client = bench.client([
      entry('plain', plain.url, { capabilities: { tools: false } }),
      entry('able', able.url),
    ]);
    client.disableHost('able');
    expect(await ask(client, JSON.stringify(CHAT))).toMatchObject({ status: 429 });
    const tools = Buffer.from(JSON.stringify({ ...CHAT, tools: [{ type: 'function' }] }));
    expect(await errorOf(send(client, { body: tools }))).toMatchObject({ code: 'no_host_available' });
    expect(plain.asked).toBe(1);
  });

  it('is found by its name before a glob, and leaves other models to every host', async () => {
    const [a, b] = [await opened.scripted(), await opened.scripted(chat('hello'), models('other'))];
    const routes = [
      { model: 'gpt-*', tiers: [[{ group: 'all', model: 'x' }]] },
      { model: 'gpt-4', tiers: [[{ host: 'b' }]] },
    ];
    const client = bench.client([entry('a', a.url), entry('b', b.url)], { routes, groups: { all: ['a'] } });
    expect(await ask(client, '{"model":"gpt-4"}')).toMatchObject({ host: 'b', model: 'gpt-4' });
    expect(await ask(client, '{"model":"gpt-5"}')).toMatchObject({ host: 'a', model: 'x' });
    await client.start();
    expect(await ask(client, '{"model":"other"}')).toMatchObject({ status: 200 });
    expect(client.models().map(({ id }) => id)).toEqual(['gpt-4', 'other']);
  });

  it('makes a model of each name that it takes, as calls may spell it', async () => {
    const host = await opened.scripted(chat('hello'), models('llama3:latest', 'models/gemini', 'plain'));
    const routes = [{ model: 'gpt-*', tiers: [[{ host: 'a', model: 'plain' }]] }];
    const client = bench.client([entry('a', host.url)], { routes });
    await client.start();
    const ids = ['llama3', 'llama3:latest', 'gemini', 'plain:latest', 'gpt-5', 'gpt', 'llama'];
    expect(ids.map((id) => client.model(id)?.id)).toEqual([
      ...['llama3:latest', 'llama3:latest', 'models/gemini', 'plain', 'gpt-5'],
      ...[undefined, undefined],
    ]);
  });

  it("is found by either of Ollama's spellings of its name", async () => {
    const [a, b] = [await opened.scripted(), await opened.scripted()];
    const routes = ['llama3', 'qwen3:latest'].map((model) => ({ model, tiers: [[{ host: 'b' }]] }));
    const client = bench.client([entry('a', a.url), entry('b', b.url)], { routes });
    for (const model of ['llama3', 'llama3:latest', 'qwen3', 'qwen3:latest'])
      expect(await ask(client, JSON.stringify({ model }))).toMatchObject({ host: 'b', model });
    expect(a.asked).toBe(0);
  });

  it('that names what is not there is refused', () => {
    const routes = [{ model: 'm', tiers: [[{ host: 'nobody' }]] }];
    expect(() => bench.client([entry('a', 'http://127.0.0.1:9/v1')], { routes })).toThrow(
      '"nobody" is not configured',
    );
  });
});

describe('a session that its callers name', () => {
  it('stays on its host by default, however short its prompts are', async () => {
    await using first = await ScriptedHost.start();
    await using second = await ScriptedHost.start();
    const hosts = [entry('first', first.url), entry('second', second.url)];
    const client = bench.client(hosts, { strategy: undefined });
    const hostOf = async (session: string) => {
      const { host, body } = await send(client, { headers: { 'x-session-id': session } });
      await body.bytes();
      return host;
    };
    // A busy machine makes one of them look slow, from which sessions go away.
    const now = jest.spyOn(performance, 'now').mockReturnValue(performance.now());
    try {
      const sessions = Array.from({ length: 16 }, (_, index) => `session ${index}`);
      const chosen = new Map<string, string>();
      for (const session of sessions) chosen.set(session, await hostOf(session));
      expect(new Set(chosen.values()).size).toBe(2);
      for (const session of sessions) expect(await hostOf(session)).toBe(chosen.get(session));
    } finally {
      now.mockRestore();
    }
  });
});

describe('the load of a host', () => {
  it('is the same whatever route it came by, and after a reload', async () => {
    const [one, two] = [await opened.scripted(), await opened.scripted()];
    const routes = [
      { model: 'code', tiers: [[{ host: 'one', model: 'large' }]] },
      { model: 'chat', tiers: [[{ host: 'one' }, { host: 'two' }]], strategy: 'power_of_two' as const },
    ];
    const list = [entry('one', one.url), entry('two', two.url)];
    const client = bench.client(list, { routes, answerTimeoutMs: 20_000 });
    let finish: (() => void) | undefined;
    one.reply = (...exchange) => void (finish = () => chat('hello')(...exchange));
    const code = ask(client, JSON.stringify({ model: 'code', prompt: 'x'.repeat(40_000) }));
    await waitFor(() => finish !== undefined, { what: 'the long call' });
    one.reply = chat('hello');
    const askAll = async () => {
      for (let call = 0; call < 6; call += 1)
        expect(await ask(client, '{"model":"chat"}')).toMatchObject({ host: 'two' });
    };
    await askAll();
    await client.reload({ ...RELOADED, hosts: [...list, entry('three', two.url)], routes });
    await askAll();
    finish?.();
    await code;
  });
});

describe('a host of its own kind', () => {
  it('gets its key, headers and query, as Azure wants them', async () => {
    let seen: { url?: string | undefined; headers?: NodeJS.Dict<string | string[]> } = {};
    const host = await opened.scripted((response, request, body) => {
      seen = { url: request.url, headers: request.headers };
      chat('hello')(response, request, body);
    });
    const client = bench.client([
      entry('azure', host.url, {
        apiKey: 'sk-of-the-host',
        keyHeader: 'api-key',
        headers: { 'x-team': 'blue' },
        query: { 'api-version': '2026-01-01' },
      }),
    ]);
    expect(await ask(client, ASSISTANT)).toMatchObject({ status: 200 });
    expect(seen.url).toBe('/v1/chat/completions?api-version=2026-01-01');
    expect(seen.headers).toMatchObject({ 'api-key': 'sk-of-the-host', 'x-team': 'blue' });
    expect(seen.headers).not.toHaveProperty('authorization');
  });

  it.each([
    ['?api-version=2000-01-01&a=1%20b', '?a=1%20b&api-version=2026-01-01'],
    ['?api%2Dversion=2000-01-01', '?api-version=2026-01-01'],
    [
      '?key=callers&api_key=callers&access_token=callers&subscription-key=callers&keys=a',
      '?keys=a&api-version=2026-01-01',
    ],
    [
      '?token=callers&auth=callers&authorization=callers&x-api-key=callers&x-goog-api-key=callers&password=callers&tokens=a',
      '?tokens=a&api-version=2026-01-01',
    ],
    ['?API-Version=2000-01-01&Api_Key=callers&A=B', '?A=B&api-version=2026-01-01'],
    ['?', '?api-version=2026-01-01'],
  ])('gets its own query, and of a caller all but keys and what is its own: %s', async (asked, expected) => {
    const urls: unknown[] = [];
    const host = await opened.scripted((response, request, body) => {
      urls.push(request.url);
      chat('hello')(response, request, body);
    });
    const own = bench.client([entry('own', host.url, { query: { 'api-version': '2026-01-01' } })]);
    const plain = bench.client([entry('plain', host.url)]);
    for (const client of [own, plain])
      await (await send(client, { path: `/chat/completions${asked}` })).body.bytes();
    expect(urls[0]).toBe(`/v1/chat/completions${expected}`);
    expect(urls[1]).not.toContain('callers');
  });

  it.each([
    ['a key', { apiKey: 'sk-of-the-host' }, undefined],
    ['a header with a key', { headers: { Authorization: 'Bearer sk-of-the-host' } }, undefined],
    ['a parameter with a key', { query: { key: 'of-the-host' } }, undefined],
    ['a header of another kind', { headers: { 'x-team': 'blue' } }, 'theirs'],
  ])('is not told whose organization a caller is where it has %s', async (_, own, expected) => {
    let seen: unknown = 'nothing';
    const host = await opened.scripted((response, request, body) => {
      seen = request.headers['openai-organization'];
      chat('hello')(response, request, body);
    });
    const client = bench.client([entry('a', host.url, own)]);
    await (await send(client, { headers: { 'openai-organization': 'theirs' } })).body.bytes();
    expect(seen).toBe(expected);
  });

  it('gets a header that it is configured with once, whatever a caller says', async () => {
    let seen: string[] = [];
    const host = await opened.scripted((response, request, body) => {
      seen = request.rawHeaders;
      chat('hello')(response, request, body);
    });
    const headers = { 'Anthropic-Version': '2023-06-01', 'user-agent': 'ours' };
    const client = bench.client([entry('a', host.url, { headers })]);
    const theirs = { 'anthropic-version': '2023-01-01', 'user-agent': 'theirs', 'anthropic-beta': 'x' };
    await (await send(client, { headers: theirs })).body.bytes();
    const pairs = seen.flatMap((name, at) =>
      at % 2 === 0 ? [`${name.toLowerCase()}: ${seen[at + 1] ?? ''}`] : [],
    );
    expect(pairs.filter((pair) => /^(anthropic|user)-/.test(pair)).sort()).toEqual([
      'anthropic-beta: x',
      'anthropic-version: 2023-06-01',
      'user-agent: ours',
    ]);
  });

  it.each([
    [{}, 'Morgan'],
    [{ headers: { 'User-Agent': 'ours' } }, 'ours'],
  ])('is told what asks, in probes and in calls without a word of it: %j', async (own, expected) => {
    const seen: unknown[] = [];
    const noting =
      (reply: Reply): Reply =>
      (response, request, body) => {
        seen.push(request.rawHeaders.filter((_, at, all) => /^user-agent$/i.test(all[at - 1] ?? '')));
        reply(response, request, body);
      };
    const host = await opened.scripted(noting(chat('hello')), noting(models('m')));
    const client = bench.client([entry('a', host.url, own)]);
    await client.start();
    await (await send(client)).body.bytes();
    expect(seen).toEqual([[expected], [expected]]);
  });

  it('is met with its own authority, name and certificate', async () => {
    const authority = new CertificateAuthority('authority');
    const options = {
      ...authority.issue('llm.example'),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
    };
    const names: unknown[] = [];
    const respond: RequestListener = (request, response) => {
      names.push((request.socket as TLSSocket & { servername?: string }).servername);
      request.resume().on('end', () => response.end('{"choices":[{}]}'));
    };
    const server = await listen(createServer(options, respond));
    const url = `https://127.0.0.1:${server.port}/v1`;
    const tls = { ca: authority.cert, servername: 'llm.example', ...authority.issue('gateway') };
    const client = bench.client([entry('own', url, { tls })]);
    expect(await ask(client, ASSISTANT)).toMatchObject({ status: 200 });
    expect(names).toEqual(['llm.example']);
    await client.stop();
    await server.close();
    expect(await errorOf(send(bench.client([entry('own', url)])))).toMatchObject({
      code: 'no_host_available',
    });
  });

  it('at its limit leaves its calls to another, and is not blamed', async () => {
    const [narrow, wide] = [await opened.scripted(), await opened.scripted()];
    const rateLimit = { requestsPerSecond: 0.01 };
    const client = bench.client([entry('narrow', narrow.url, { rateLimit }), entry('wide', wide.url)]);
    for (let call = 0; call < 6; call += 1) await ask(client, ASSISTANT);
    expect([narrow.asked, wide.asked]).toEqual([1, 5]);
    expect(client.getMetrics()['narrow']).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
  });

  it('that is drained or disabled gets no new calls until it is enabled', async () => {
    const [a, b] = [await opened.scripted(), await opened.scripted()];
    const client = bench.client([entry('a', a.url), entry('b', b.url)]);
    await client.start();
    client.drainHost('a');
    for (let call = 0; call < 3; call += 1) expect(await ask(client, ASSISTANT)).toMatchObject({ host: 'b' });
    client.disableHost('b');
    expect(await errorOf(send(client))).toMatchObject({ code: 'no_host_available' });
    await client.enableHost('a');
    expect(await ask(client, ASSISTANT)).toMatchObject({ host: 'a' });
    expect(() => client.drainHost('c')).toThrow('no host is named "c"');
  });
});

describe('the client without any parts', () => {
  it('posts, and tells a refusal in the words of the host', async () => {
    const host = await opened.scripted(
      refusal(400, 'messages is empty', { code: 'empty_array', headers: { 'retry-after': '3' } }),
    );
    const client = new DistributedLlmClient({ hosts: [{ name: 'one', url: host.url }] });
    const error: unknown = await client.post('/chat/completions', CHAT).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(HostError);
    expect(error).toMatchObject({ message: 'messages is empty', status: 400, host: 'one', attempts: 1 });
    expect(error).toMatchObject({ code: 'empty_array', param: undefined, retryAfterMs: 3_000 });
    host.reply = chat('hello');
    const events: unknown[] = [];
    for await (const event of client.stream('/chat/completions', CHAT, { timeoutMs: 5_000 }))
      events.push(event);
    expect(events).toHaveLength(3);
    await client.stop();
  });

  it('reads one JSON for a stream as the stream that it stands for, and refuses what stands for none', async () => {
    const message = { role: 'assistant', content: 'hello' };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    const host = await opened.scripted(
      json(200, { id: 'c1', object: 'chat.completion', model: 'm', choices }),
    );
    const client = new DistributedLlmClient({ hosts: [{ name: 'one', url: host.url }] });
    const events: unknown[] = [];
    for await (const event of client.stream('/chat/completions', CHAT)) events.push(event);
    expect(JSON.stringify(events)).toContain('"content":"hello"');
    const scores = client.stream('/score', CHAT);
    await expect(scores.next()).rejects.toMatchObject({ code: 'host_error' });
    await client.stop();
  });
});
