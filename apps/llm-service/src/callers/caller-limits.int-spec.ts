import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import { listen, type LocalServer, startRedis, waitFor } from '@morgan/testing';
import { serve, type Served } from '../../fixture/served.ts';
import { llmServiceConfig } from '../config/llm-service.config.ts';

const [ONE, TWO] = ['first-caller', 'second-caller'];
const USAGE = { prompt_tokens: 30, completion_tokens: 60, total_tokens: 90 };
const COMPLETION = { object: 'chat.completion', choices: [{ message: { content: 'hi' } }], usage: USAGE };
const EVENTS = [
  { choices: [{ index: 0, delta: { content: 'hi' } }] },
  { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  { choices: [], usage: USAGE },
].map((event) => `data: ${JSON.stringify(event)}\n\n`);

let host: LocalServer;
let asked: number;
/** What the host answers to chats. */
let answer: (response: ServerResponse) => void;
const gateways: Served[] = [];

const json = (status: number, body: object) => (response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const streamed = (response: ServerResponse) =>
  void response
    .writeHead(200, { 'content-type': 'text/event-stream' })
    .end(`${EVENTS.join('')}data: [DONE]\n\n`);

beforeAll(async () => {
  host = await listen((request, response) => {
    if (request.method === 'GET') return json(200, { data: [{ id: 'm' }] })(response);
    asked += 1;
    request.resume().once('end', () => answer(response));
  });
});
beforeEach(() => {
  asked = 0;
  answer = json(200, COMPLETION);
});
afterEach(closeGateways);
afterAll(() => host.close());

async function closeGateways(): Promise<void> {
  for (const gateway of gateways.splice(0)) await gateway.close();
}

interface CallInit {
  readonly path?: string;
  readonly method?: string;
  readonly signal?: AbortSignal | null;
  readonly headers?: Record<string, string>;
}

/** Calls a service that has these limits, with the key of a caller. */
async function serviceWith(env: Record<string, string>) {
  const gateway = await serve({ LLM_HOSTS: `one=${host.origin}/v1`, API_KEYS: `${ONE},${TWO}`, ...env });
  gateways.push(gateway);
  await gateway.parts.start();
  const origin = gateway.url;
  const hasRedis = async () => {
    const response = await fetch(`${origin}/health`, { headers: { 'x-api-key': ONE } });
    const { details } = (await response.json()) as { details: { redis: { status: string } } };
    return details.redis.status === 'up';
  };
  if (env['REDIS_URL']) await waitFor(hasRedis, { what: 'Redis' });
  return async (
    key: string,
    more: object = {},
    { path = '/v1/chat/completions', method = 'POST', signal = null, headers = {} }: CallInit = {},
  ) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      signal,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }], ...more }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

describe('requests of a caller', () => {
  it('are refused above the limit of its key, with a time, and those of another key are not', async () => {
    const call = await serviceWith({ CALLER_REQUESTS_PER_MINUTE: '2' });
    expect([(await call(ONE)).status, (await call(ONE)).status]).toEqual([200, 200]);
    const { status, headers, text } = await call(ONE);
    expect([status, asked]).toEqual([429, 2]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(25);
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(30);
    expect(JSON.parse(text)).toMatchObject({
      error: {
        code: 'rate_limited',
        type: 'rate_limit_error',
        message: expect.stringContaining('may make 2 requests a minute'),
      },
    });
    expect((await call(TWO)).status).toBe(200);
  });

  it('are counted by all replicas together where there is a Redis', async () => {
    await using redis = await startRedis();
    const patience = { REDIS_COMMAND_TIMEOUT_MS: '30000' };
    const env = { CALLER_REQUESTS_PER_MINUTE: '2', REDIS_URL: redis.url, ...patience };
    const [call, callOther] = [await serviceWith(env), await serviceWith(env)];
    const statuses = [await call(ONE), await callOther(ONE), await call(ONE), await callOther(ONE)];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
    await closeGateways();
  });

  it('stay those of its key while replicas with another list of keys come in', async () => {
    await using redis = await startRedis();
    const patience = { REDIS_COMMAND_TIMEOUT_MS: '30000' };
    const env = { CALLER_REQUESTS_PER_MINUTE: '1', REDIS_URL: redis.url, ...patience };
    const call = await serviceWith(env);
    const callNewer = await serviceWith({ ...env, API_KEYS: `key-of-a-third,${ONE},${TWO}` });
    const statuses = [await call(ONE), await callNewer(ONE), await callNewer(TWO), await call(TWO)];
    expect(statuses.map(({ status }) => status)).toEqual([200, 429, 200, 429]);
    await closeGateways();
  });
});

describe('what is left of its limits', () => {
  const told = ({ headers }: { readonly headers: Headers }, unit: string) =>
    ['limit', 'remaining', 'reset'].map((what) => headers.get(`x-ratelimit-${what}-${unit}`));

  it.each([
    ['whole', {}, json(200, COMPLETION)],
    ['streamed', { stream: true }, streamed],
  ])('is told to a caller, in the place of what a host tells us of ours: %s', async (_, more, respond) => {
    answer = (response) => {
      response.setHeader('x-ratelimit-remaining-requests', '9');
      response.setHeader('x-ratelimit-remaining-tokens', '900');
      respond(response);
    };
    const call = await serviceWith({ CALLER_REQUESTS_PER_MINUTE: '60' });
    const first = await call(ONE, more);
    expect(told(first, 'requests')).toEqual(['60', '59', '1s']);
    expect(told(first, 'tokens')).toEqual([null, '900', null]);
    expect(told(await call(TWO, more), 'requests')).toEqual(['60', '59', '1s']);
    expect(told(await call(ONE, more), 'requests')).toEqual(['60', '58', expect.stringMatching(/^1\.\d+s$/)]);
  });

  it('is told with a refusal, whose limit is used up, and the other one is not', async () => {
    const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '100', CALLER_REQUESTS_PER_MINUTE: '3' });
    await call(ONE);
    const refused = await call(ONE);
    expect(refused.status).toBe(429);
    expect(told(refused, 'tokens')).toEqual(['100', expect.stringMatching(/^1\d$/), expect.any(String)]);
    expect(told(refused, 'requests')).toEqual(['3', '2', expect.stringMatching(/^(20|19\.\d+)s$/)]);
  });

  it('is told where a host refuses, and where none answers', async () => {
    const call = await serviceWith({ CALLER_REQUESTS_PER_MINUTE: '3' });
    answer = json(400, { error: { message: 'no', code: 'bad' } });
    expect(told(await call(ONE), 'requests').slice(0, 2)).toEqual(['3', '2']);
    answer = (response) => void response.destroy();
    const failed = await call(ONE);
    expect([failed.status, ...told(failed, 'requests')]).toEqual([
      502,
      '3',
      '1',
      expect.stringMatching(/s$/),
    ]);
  });

  it('is that of all replicas together where there is a Redis', async () => {
    await using redis = await startRedis();
    const patience = { REDIS_COMMAND_TIMEOUT_MS: '30000' };
    const env = { CALLER_REQUESTS_PER_MINUTE: '3', REDIS_URL: redis.url, ...patience };
    const [call, callOther] = [await serviceWith(env), await serviceWith(env)];
    const answers = [await call(ONE), await callOther(ONE), await call(ONE), await callOther(ONE)];
    expect(answers.map((each) => told(each, 'requests')[1])).toEqual(['2', '1', '0', '0']);
    await closeGateways();
  });

  it('is not told where nothing is limited, and a host is heard', async () => {
    answer = (response) => {
      response.setHeader('x-ratelimit-remaining-requests', '9');
      json(200, COMPLETION)(response);
    };
    const call = await serviceWith({});
    expect(told(await call(ONE), 'requests')).toEqual([null, '9', null]);
  });
});

describe('tokens of a caller', () => {
  it.each([
    ['whole', {}, json(200, COMPLETION)],
    ['streamed', { stream: true }, streamed],
  ])('are those that hosts count: %s', async (_, more, respond) => {
    answer = respond;
    const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '100' });
    expect((await call(ONE, more)).status).toBe(200);
    const { status, text } = await call(ONE, more);
    expect([status, asked]).toEqual([429, 1]);
    expect(text).toContain('may use 100 tokens a minute');
    expect((await call(TWO, more)).status).toBe(200);
  });

  it.each([undefined, { prompt_tokens: 0, completion_tokens: 0 }])(
    'stay as they were estimated where a host counts %j',
    async (usage) => {
      answer = json(200, { ...COMPLETION, usage });
      const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '20' });
      expect([(await call(ONE)).status, (await call(ONE)).status]).toEqual([200, 429]);
    },
  );

  it('are not used up by calls that get none, and such a call is no request the less', async () => {
    answer = json(400, { error: { message: 'no', code: 'bad' } });
    const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '30', CALLER_REQUESTS_PER_MINUTE: '4' });
    for (let count = 0; count < 4; count += 1) expect((await call(ONE)).status).toBe(400);
    expect((await call(ONE)).text).toContain('may make 4 requests a minute');
  });

  it('are not used up by calls that no host answers', async () => {
    answer = (response) => void response.destroy();
    const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '30' });
    for (let count = 0; count < 3; count += 1) expect((await call(ONE)).status).toBe(502);
  });

  it('are used up by the prompt of a caller who leaves before the answer', async () => {
    let isCancelled = false;
    answer = (response) => void response.once('close', () => (isCancelled = true));
    const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '25' });
    const leaver = new AbortController();
    const left = call(ONE, {}, { signal: leaver.signal });
    await waitFor(() => asked === 1, { what: 'the call' });
    leaver.abort();
    await expect(left).rejects.toThrow();
    await waitFor(() => isCancelled, { what: 'the end of the call' });
    answer = json(200, COMPLETION);
    for (let count = 0; count < 5; count += 1) expect((await call(ONE)).status).toBe(429);
  });

  it.each([
    ['an answer', {}, undefined],
    ['a stream', { stream: true }, undefined],
    ['a stream that began with comments', { stream: true }, '50'],
  ])('are used up by the prompt of a caller whose own time was over before %s', async (_, more, early) => {
    let isCancelled = false;
    answer = (response) => void response.once('close', () => (isCancelled = true));
    const env = { CALLER_TOKENS_PER_MINUTE: '25', ...(early && { STREAM_EARLY_KEEP_ALIVE_MS: early }) };
    const call = await serviceWith(env);
    // What has begun breaks off.
    const status = call(ONE, more, { headers: { 'x-morgan-deadline-ms': '300' } }).then(
      (ended) => ended.status,
      () => 'broken',
    );
    expect([await status, asked]).toEqual([early ? 'broken' : 504, 1]);
    await waitFor(() => isCancelled, { what: 'the end of the call' });
    answer = json(200, COMPLETION);
    expect((await call(ONE)).status).toBe(429);
  });

  it('are used up by the prompt of a caller who waits for the first content no longer than it says', async () => {
    answer = () => undefined;
    const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '25' });
    const impatient = { headers: { 'x-morgan-first-content-ms': '100' } };
    expect((await call(ONE, { stream: true }, impatient)).status).toBe(504);
    answer = json(200, COMPLETION);
    expect((await call(ONE)).status).toBe(429);
  });

  it('are not used up where the time of a caller was over before a host was asked', async () => {
    const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '25' });
    for (let count = 0; count < 3; count += 1)
      expect((await call(ONE, {}, { headers: { 'x-morgan-deadline-ms': '0' } })).status).toBe(504);
    expect([(await call(ONE)).status, asked]).toEqual([200, 1]);
  });

  it.each([
    ['POST', '/v1/messages/count_tokens'],
    ['POST', '/v1/responses/input_tokens'],
    ['POST', '/openai/responses/input_tokens'],
    ['POST', '/tokenize'],
    ['POST', '/detokenize'],
    ['DELETE', '/v1/responses/resp_1'],
  ])('are not used up by what only counts, and do not stop it: %s %s', async (method, path) => {
    const limits = { CALLER_TOKENS_PER_MINUTE: '60', CALLER_REQUESTS_PER_MINUTE: '6' };
    const call = await serviceWith(limits);
    answer = json(200, { input_tokens: 20, count: 20 });
    const messages = [{ role: 'user', content: 'x'.repeat(160) }];
    const counts = async () => (await call(ONE, { messages }, { method, path })).status;
    for (let count = 0; count < 4; count += 1) expect(await counts()).toBe(200);
    answer = json(200, COMPLETION);
    expect([(await call(ONE)).status, await counts(), await counts()]).toEqual([200, 200, 429]);
  });

  it('take no request where they are refused themselves', async () => {
    const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '100', CALLER_REQUESTS_PER_MINUTE: '2' });
    await call(ONE);
    for (let count = 0; count < 3; count += 1) expect((await call(ONE)).text).toContain('may use 100 tokens');
  });

  it('are not those of the bytes of an image', async () => {
    const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '5000' });
    const url = `data:image/png;base64,${'A'.repeat(400_000)}`;
    const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }];
    for (let count = 0; count < 3; count += 1) expect((await call(ONE, { messages })).status).toBe(200);
  });

  it('may be estimated above the limit: such a call takes all of it, and gives back what it did not use', async () => {
    answer = json(200, { ...COMPLETION, usage: { prompt_tokens: 1, completion_tokens: 1 } });
    const call = await serviceWith({ CALLER_TOKENS_PER_MINUTE: '100' });
    const messages = [{ role: 'user', content: 'x'.repeat(4_000) }];
    expect((await call(ONE, { messages })).status).toBe(200);
    expect((await call(ONE)).status).toBe(200);
  });
});

describe('limits of callers', () => {
  it('are refused where callers cannot be told apart', () => {
    const env = { LLM_HOSTS: 'one=http://127.0.0.1:9/v1', CALLER_REQUESTS_PER_MINUTE: '2' };
    expect(() => loadConfig(llmServiceConfig, { env })).toThrow('API_KEYS is empty');
  });
});
