import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Handler } from '@morgan/testing';
import { type Served, serveOver } from '../../fixture/served.ts';

interface Asked {
  readonly host: string;
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

const asked: Asked[] = [];
let gateway: Served;
let origin: string;
/** What the hosts answer, but to probes. */
let answer: (response: ServerResponse, host: string) => void;

beforeAll(async () => {
  const hosts: Record<string, Handler> = {
    one: (...call) => take('one', ...call),
    two: (...call) => take('two', ...call),
  };
  const env = {
    LLM_STRATEGY: 'round_robin',
    BODY_LIMIT_BYTES: '100000',
    RECEIVE_TIMEOUT_MS: '2000',
  };
  gateway = await serveOver(hosts, env, { llmService: { extraPaths: ['/v1/audio/voices', '/pooling'] } });
  origin = gateway.url;
});

afterAll(() => gateway.close());

beforeEach(() => {
  asked.length = 0;
  answer = (response) => json(response, 200, ANSWER);
});

async function take(host: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks = (await request.toArray()) as Buffer[];
  const { method, url, headers } = request;
  asked.push({ host, method, url, type: headers['content-type'], body: Buffer.concat(chunks).toString() });
  answer(response, host);
}

function json(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

const call = (path: string, body?: string | FormData, init: RequestInit = {}) =>
  fetch(origin + path, {
    method: 'POST',
    ...(body !== undefined && { body }),
    ...(typeof body === 'string' && { headers: { 'content-type': 'application/json' } }),
    ...init,
  });

/** Of every path, so that a completion is one. */
/** One in every API. */
const ANSWER =
  '{"id":"x-1", "choices":[{"text":"a","message":{"content":"a"}}],"content":[{"text":"a"}],"output":[{}]}';
const BODY = '{ "model":"m",  "input":"x", "new_field": 1.0 }';

describe('an endpoint of hosts', () => {
  it.each([
    ['/v1/responses', '/v1/responses'],
    ['/openai/responses?api-version=1&a=1', '/v1/responses?a=1'],
    ['/openai/v1/responses?api-version=preview', '/v1/responses'],
    ['/v1/responses/input_tokens', '/v1/responses/input_tokens'],
    ['/openai/v1/responses/compact', '/v1/responses/compact'],
    ['/openai/v1/audio/speech', '/v1/audio/speech'],
    ['/v1/messages', '/v1/messages'],
    ['/v1/messages/count_tokens', '/v1/messages/count_tokens'],
    ['/v1/moderations', '/v1/moderations'],
    ['/v1/rerank', '/v1/rerank'],
    ['/v2/rerank', '/v2/rerank'],
    ['/rerank', '/rerank'],
    ['/v1/score', '/v1/score'],
    ['/score', '/score'],
    ['/tokenize', '/tokenize'],
    ['/detokenize', '/detokenize'],
    ['/v1/audio/speech', '/v1/audio/speech'],
    ['/v1/images/generations', '/v1/images/generations'],
    ['/v1/audio/voices', '/v1/audio/voices'],
    ['/pooling', '/pooling'],
    ['/v1//moderations/?a=b%20c', '/v1/moderations?a=b%20c'],
  ])('is passed through, byte for byte: %s', async (path, url) => {
    const response = await call(path, BODY);
    expect([response.status, await response.text()]).toEqual([200, ANSWER]);
    expect(asked).toEqual([
      { host: expect.any(String), method: 'POST', url, type: 'application/json', body: BODY },
    ]);
  });

  it('is asked of another host where one does not know it', async () => {
    answer = (response, host) =>
      host === 'one' ? json(response, 404, '{"detail":"Not Found"}') : json(response, 200, '{"results":[]}');
    for (let count = 0; count < 4; count += 1) expect((await call('/v2/rerank', BODY)).status).toBe(200);
    expect(asked.filter(({ host }) => host === 'one')).toHaveLength(1);
  });

  it('answers with bytes of any kind', async () => {
    const speech = Buffer.from([0, 255, 1, 254]);
    answer = (response) => response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(speech);
    const response = await call('/v1/audio/speech', BODY);
    expect(response.headers.get('content-type')).toBe('audio/mpeg');
    expect(Buffer.from(await response.arrayBuffer())).toEqual(speech);
  });

  it.each([
    '/openai/deployments//chat/completions?api-version=1',
    '//openai/deployments///chat//completions/',
  ])('is no other one where the name of the model in its path is empty: %s', async (path) => {
    const response = await call(path, BODY);
    expect([response.status, asked]).toEqual([400, []]);
    expect(await response.json()).toMatchObject({ error: { code: 'empty_string', param: 'model' } });
  });

  it('has a model called chat where the path names it', async () => {
    const paths = ['/openai/deployments/chat/completions', '/openai/deployments//chat/chat/completions'];
    for (const path of paths) await call(path, BODY);
    expect(asked.map(({ url, body }) => [url, body.includes('"chat"')])).toEqual([
      ['/v1/completions', true],
      ['/v1/chat/completions', true],
    ]);
  });

  it('takes no longer name of a model in its path than in its body', async () => {
    for (const [length, status] of [
      [256, 200],
      [257, 400],
      [8_000, 400],
    ] as const) {
      const response = await call(`/openai/deployments/${'m'.repeat(length)}/chat/completions`, BODY);
      expect(response.status).toBe(status);
      if (status === 400)
        expect(await response.json()).toMatchObject({ error: { code: 'invalid_value', param: 'model' } });
    }
  });

  it.each(['/v1/audio/transcriptions', '/v1/audio/translations'])(
    'takes a form, with its model, up to the limit of bodies: %s',
    async (path) => {
      const form = new FormData();
      form.append('file', new Blob(['RIFF\r\n\r\n{']), 'a.wav');
      form.append('model', 'whisper');
      expect((await call(path, form)).status).toBe(200);
      expect(asked[0]).toMatchObject({
        url: path,
        type: expect.stringMatching(/^multipart/),
      });
      expect(asked[0]?.body).toContain('RIFF\r\n\r\n{');
      form.append('more', new Blob(['x'.repeat(100_000)]), 'b');
      expect((await call(path, form)).status).toBe(413);
      expect((await call('/v1/chat/completions', form)).status).toBe(415);
    },
  );

  it.each(['/v1/images/edits', '/v1/images/variations', '/openai/deployments/m/images/edits'])(
    'takes a form: %s',
    async (path) => {
      const form = new FormData();
      form.append('model', 'm');
      form.append('image', new Blob(['png']), 'a.png');
      expect((await call(path, form)).status).toBe(200);
      expect(asked[0]?.url).toMatch(/^\/v1\/images\/(edits|variations)$/);
    },
  );

  it("has the model in the path for Azure's clients", async () => {
    await call('/openai/deployments/gpt-x/chat/completions?api-version=1&a=1', '{"messages":[]}');
    await call('/openai/deployments/gpt-x/completions?api-version=1', '{ "model":"other", "prompt":"a"}');
    expect(asked.map(({ url, body }) => [url, body])).toEqual([
      ['/v1/chat/completions?a=1', '{"model":"gpt-x","messages":[]}'],
      ['/v1/completions', '{ "model":"gpt-x", "prompt":"a"}'],
    ]);
  });

  it("is where Azure's clients of one version look for it", async () => {
    await call('/openai/v1/chat/completions', '{"model":"m","messages":[{"role":"user"}]}');
    await call('/openai/v1/responses/resp_one', undefined, { method: 'GET' });
    const form = new FormData();
    form.append('model', 'm');
    form.append('file', new Blob(['RIFF']), 'a.wav');
    expect((await call('/openai/v1/audio/transcriptions', form)).status).toBe(200);
    expect(asked.map(({ url }) => url)).toEqual(['/v1/chat/completions', '/v1/audio/transcriptions']);
    for (const path of ['/openai/v1/models', '/openai/models?api-version=1'])
      expect(await (await fetch(origin + path)).json()).toMatchObject({ object: 'list' });
  });

  it.each([
    ['POST', '/openai/v1/batches', 'The API of batches is not offered'],
    ['POST', '/openai/chat/completions', 'There is /v1/chat/completions.'],
    ['POST', '/anthropic/v1/messages', 'There is /v1/messages.'],
    ['GET', '/v1/realtime?model=m', 'WebSockets'],
  ])('that is none has its reason: %s %s', async (method, path, said) => {
    const response = await call(path, undefined, { method });
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { error: { code: 'unknown_url', message: expect.stringContaining(said) } },
    ]);
  });

  it("that only looks like one of ours has its reason, too: Gemini's, as its clients ask", async () => {
    const response = await call('/v1/models/gemini-pro:generateContent', '{}');
    const message = expect.stringMatching(/takes GET, HEAD, not POST\. Gemini's own API is not offered/);
    expect([response.status, await response.json()]).toMatchObject([405, { error: { message } }]);
  });

  it.each([
    ['GET', '/api/tags'],
    ['GET', '//api/version'],
    ['POST', '/api/chat'],
  ])(
    "that is Ollama's is refused in a sentence, which is all that its clients show: %s %s",
    async (...row) => {
      const [method, path] = row;
      const response = await call(path, undefined, { method });
      const error = expect.stringContaining("Ollama's own API is not offered");
      expect([response.status, await response.json()]).toEqual([404, { error }]);
    },
  );
});

describe('a conversation that goes on with what one host has made', () => {
  const ask = (items: object[]) => call('/v1/responses', JSON.stringify({ model: 'm', input: items }));
  const refusal = (message: string, code: string | null) =>
    JSON.stringify({ error: { message, type: 'invalid_request_error', param: 'input', code } });

  it.each<[object, number, string]>([
    [{ type: 'item_reference', id: 'rs_1' }, 404, refusal("Item with id 'rs_1' not found.", null)],
    [
      { type: 'reasoning', id: 'rs_1', encrypted_content: 'gAAA' },
      400,
      refusal('The encrypted content gAAA could not be verified.', 'invalid_encrypted_content'),
    ],
  ])('is answered by that one, whichever is asked first: %j', async (item, status, refused) => {
    answer = (response, host) =>
      host === 'one' ? json(response, 200, '{"object":"response"}') : json(response, status, refused);
    for (let count = 0; count < 4; count += 1) {
      const { headers, status: given } = await ask([item]);
      expect([given, headers.get('x-morgan-host')]).toEqual([200, 'one']);
    }
    answer = (response) => json(response, status, refused);
    const response = await ask([item]);
    expect([response.status, await response.text()]).toEqual([status, refused]);
  });
});

describe('a stream', () => {
  const chunk = (delta: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
  const BEGUN = chunk({ role: 'assistant' }) + chunk({ content: 'hello' });
  const ask = (more: string) =>
    call('/v1/chat/completions', `{"model":"m","stream":true,"messages":[{"role":"user"}]${more}}`);

  it('is called one, whatever its host calls it', async () => {
    const whole = `${BEGUN}${chunk({}, 'stop')}data: [DONE]\n\n`;
    answer = (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(whole);
    const response = await ask('');
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(await response.text()).toBe(whole);
  });

  it.each(['0', '-1', '0.5'])('of %s choices has one to wait for', async (n) => {
    answer = (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(BEGUN);
    const response = await ask(`,"n":${n}`);
    const chunks: string[] = [];
    const read = async () => {
      for await (const bytes of response.body ?? []) chunks.push(Buffer.from(bytes).toString());
    };
    await expect(read()).rejects.toThrow();
    expect(chunks.join('')).toContain('stream_interrupted');
    expect(chunks.join('')).not.toContain('[DONE]');
  });
});

describe('a response that a host keeps', () => {
  it('is asked for at that host, in every way', async () => {
    answer = (response, host) => json(response, 200, `{"id":"resp_${host}","object":"response"}`);
    const made = [await call('/v1/responses', BODY), await call('/v1/responses', BODY)];
    for (const host of made.map((response) => response.headers.get('x-morgan-host') as string)) {
      asked.length = 0;
      const path = `/v1/responses/resp_${host}`;
      await call(path, undefined, { method: 'GET' });
      await call(`${path}/input_items?limit=2`, undefined, { method: 'GET' });
      await call(`${path}/cancel`);
      await call(path, undefined, { method: 'DELETE' });
      await call('/v1/responses', `{"model":"m","previous_response_id":"resp_${host}"}`);
      expect(asked.map((each) => [each.host, each.method, each.url])).toEqual([
        [host, 'GET', path],
        [host, 'GET', `${path}/input_items?limit=2`],
        [host, 'POST', `${path}/cancel`],
        [host, 'DELETE', path],
        [host, 'POST', '/v1/responses'],
      ]);
    }
  });

  it('may be gone at its host, which has the path all the same', async () => {
    answer = (response, host) => json(response, 200, `{"id":"resp_gone_${host}","object":"response"}`);
    const host = (await call('/v1/responses', BODY)).headers.get('x-morgan-host') as string;
    const made = answer;
    answer = (response) => json(response, 404, '{"detail":"Not Found"}');
    const gone = await call('/v1/responses', `{"model":"m","previous_response_id":"resp_gone_${host}"}`);
    expect([gone.status, gone.headers.get('x-morgan-host')]).toEqual([404, host]);
    answer = made;
    asked.length = 0;
    for (let count = 0; count < 4; count += 1) await call('/v1/responses', BODY);
    expect(new Set(asked.map((each) => each.host)).size).toBe(2);
  });

  it('costs what it cost once, however often it is asked for', async () => {
    const over = '{"input_tokens":10,"output_tokens":5}';
    const tokens = async () => {
      const metrics = await (await fetch(`${origin}/metrics`)).text();
      const each = metrics.matchAll(/^morgan_llm_tokens_total\{.*kind="input".*\} (\d+)$/gm);
      return [...each].reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const get = () => call('/v1/responses/resp_cost', undefined, { method: 'GET' });
    const start = await tokens();
    const grown: number[] = [];
    for (const [usage, ask] of [
      [over, () => call('/v1/responses', BODY)],
      [over, get],
      [over, get],
      ['null', () => call('/v1/responses', BODY)],
      ['null', get],
      [over, get],
      [over, get],
    ] as const) {
      answer = (response) => json(response, 200, `{"id":"resp_cost","object":"response","usage":${usage}}`);
      await (await ask()).text();
      grown.push((await tokens()) - start);
    }
    expect(grown).toEqual([10, 10, 10, 10, 10, 20, 20]);
  });

  it('has an answer of its own where nobody knows which host that is', async () => {
    const gone = await call('/v1/responses/resp_gone', undefined, { method: 'GET' });
    expect([gone.status, ((await gone.json()) as { error: object }).error]).toEqual([
      404,
      expect.objectContaining({ code: 'response_not_found', param: 'response_id' }),
    ]);
    const previous = await call('/v1/responses', '{"model":"m","previous_response_id":"resp_gone"}');
    expect(previous.status).toBe(404);
    expect(asked).toEqual([]);
  });
});

describe("an error on Anthropic's paths", () => {
  it.each([
    ['of a host', '/v1/messages', BODY, 400],
    ['of a host, counting', '/v1/messages/count_tokens', BODY, 400],
    ['of the gateway', '/v1/messages', '{"model":', 400],
    ['of the gateway, about a field', '/v1//messages/', '{"model":1}', 400],
  ])('has their shape: %s', async (_, path, body, status) => {
    answer = (response) => json(response, 400, '{"error":{"message":"no","type":"x"}}');
    const response = await call(path, body);
    expect([response.status, await response.json()]).toEqual([
      status,
      { type: 'error', error: { type: expect.any(String), message: expect.any(String) } },
    ]);
    expect(response.headers.get('request-id')).toBe(response.headers.get('x-request-id'));
  });

  it('has the id of a host that has one of its own, as a good answer has', async () => {
    const ask = async (path: string, headers: object) => {
      answer = (response) => {
        Object.entries(headers).forEach(([name, value]) => response.setHeader(name, value as string));
        json(response, 200, '{"content":[{"type":"text","text":"Hi"}],"usage":{"output_tokens":1}}');
      };
      const { headers: got } = await call(path, BODY);
      return [got.get('request-id'), got.get('x-request-id')];
    };
    const [own, ownToo] = await ask('/v1/messages', {});
    expect(own).toBe(ownToo);
    expect(await ask('/v1/messages', { 'Request-Id': 'req_1' })).toEqual(['req_1', expect.any(String)]);
    expect(await ask('/v1/moderations', {})).toEqual([null, expect.any(String)]);
  });

  const POST = 'POST /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: close\r\n';
  const JSON_TYPE = 'content-type: application/json\r\n';
  it.each([
    ['404 of a path', 404, `GET /v1/messages/none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`],
    ['405', 405, `GET /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`],
    ['a path that is none', 400, 'POST /v1/messages/% HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['no host', 400, 'POST /v1/messages HTTP/1.1\r\nconnection: close\r\n\r\n'],
    ['a broken header', 400, `${POST}no colon\r\n\r\n`],
    ['a broken chunk', 400, `${POST}${JSON_TYPE}transfer-encoding: chunked\r\n\r\nzz\r\n`],
    ['408', 408, `${POST}${JSON_TYPE}content-length: 20\r\n\r\n{`],
    ['413', 413, `${POST}${JSON_TYPE}content-length: 200000\r\n\r\n`],
    ['415', 415, `${POST}content-type: text/plain\r\ncontent-length: 1\r\n\r\nx`],
    ['417', 417, `${POST}${JSON_TYPE}expect: tea\r\ncontent-length: 2\r\n\r\n{}`],
    ['431', 431, `${POST}x: ${'y'.repeat(20_000)}\r\n\r\n`],
  ])('has their shape also below the routes: %s', async (_, status, bytes) => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    socket.write(bytes);
    const answered = Buffer.concat((await socket.toArray()) as Buffer[]).toString();
    const [head = '', body = ''] = answered.split('\r\n\r\n');
    expect([Number(head.split(' ')[1]), JSON.parse(body)]).toEqual([
      status,
      { type: 'error', error: { type: expect.any(String), message: expect.any(String) } },
    ]);
    expect(/^request-id: (.*)$/im.exec(head)?.[1]).toBe(/^x-request-id: (.*)$/im.exec(head)?.[1]);
  });
});

describe('a path that no host has', () => {
  it.each([
    ['/v1/score?a=1', 404, '{"detail":"Not Found"}', 'The host has no POST /score: Not Found'],
    ['/detokenize', 404, '<html>nginx</html>', 'The host has no POST /detokenize.'],
    ['/v1/moderations', 405, 'Method Not Allowed', 'The host has no POST /moderations: Method Not Allowed'],
    [
      '/v1/rerank',
      404,
      '{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}',
      'The host has no POST /rerank: File Not Found',
    ],
  ])('is named, also where hosts do not: %s %d %s', async (path, status, body, message) => {
    answer = (response) => json(response, status, body);
    const response = await call(path, BODY);
    expect([response.status, await response.json()]).toMatchObject([status, { error: { message } }]);
  });

  it('is left as a host names it', async () => {
    const said =
      '{"error":{"message":"Invalid URL (POST /v1/responses/compact)","type":"invalid_request_error"}}';
    answer = (response) => json(response, 404, said);
    expect(await (await call('/v1/responses/compact', BODY)).text()).toBe(said);
  });
});

describe("an error on Cohere's paths", () => {
  const ask = async (path: string, body: string) => {
    const response = await call(path, body);
    return [response.status, await response.json()];
  };

  it("has a message where its clients look, and OpenAI's shape beside it", async () => {
    expect(await ask('/v2/rerank', '{"model":1}')).toEqual([
      400,
      { message: expect.stringMatching(/'model'/), error: expect.objectContaining({ param: 'model' }) },
    ]);
    const message = expect.stringContaining("Cohere's own API is not offered");
    expect(await ask('/v2/chat', BODY)).toMatchObject([404, { message, error: { code: 'unknown_url' } }]);
  });

  it('passes as a host that is of Cohere says it, and is said so of any other', async () => {
    const said = { id: 'x', message: 'invalid request: too many documents' };
    answer = (response) => json(response, 400, JSON.stringify(said));
    expect(await ask('/v2/rerank', BODY)).toEqual([400, said]);
    answer = (response) => json(response, 400, '{"error":{"message":"no","code":"bad"}}');
    const error = expect.objectContaining({ message: 'no', code: 'bad' });
    expect(await ask('/v2/rerank', BODY)).toEqual([400, { message: 'no', error }]);
  });
});

describe('a header of ours that changes nothing', () => {
  const ignored = async (headers: Record<string, string>, body = BODY) =>
    (await call('/v1/chat/completions', body, { headers })).headers.get('x-morgan-ignored');

  it.each([
    ['x-morgan-stall-ms', 'abc'],
    ['x-morgan-stall-ms', '0'],
    ['x-morgan-connect-ms', '30s'],
    ['x-morgan-first-content-ms', '-1'],
    ['x-morgan-deadline-ms', '1e3'],
    ['x-morgan-dealine-ms', '1000'],
    ['x-morgan-host', 'one'],
  ])('is named in the answer: %s: %s', async (name, value) => {
    expect(await ignored({ [name]: value })).toBe(name);
  });

  it('is named in an error, too, and beside others', async () => {
    const both = { 'x-morgan-timeout': '1', 'x-morgan-stall-ms': 'no' };
    expect(await ignored(both, '{')).toBe('x-morgan-timeout, x-morgan-stall-ms');
  });

  it('is none of those that are read', async () => {
    const read = {
      'x-morgan-deadline-ms': '30000.0',
      'x-morgan-stall-ms': '900000',
      'x-morgan-connect-ms': '1500',
      'x-morgan-first-content-ms': '20000',
      'x-morgan-hops': '1',
      'x-morgan-via': 'a',
    };
    expect(await ignored(read)).toBeNull();
  });
});
