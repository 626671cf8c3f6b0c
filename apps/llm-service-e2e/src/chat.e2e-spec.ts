import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type FakeLlmHost, startFakeLlmHost } from '@morgan/fake-llm-host';
import { postJson, type RunningService, startService, waitFor } from '@morgan/testing';
import OpenAI, {
  APIError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai';

let first: FakeLlmHost;
let second: FakeLlmHost;
let gateway: RunningService;
let client: OpenAI;

beforeAll(async () => {
  first = await startFakeLlmHost({ name: 'first', models: ['simulated'] });
  second = await startFakeLlmHost({ name: 'second', models: ['simulated'] });
  gateway = await startService({
    app: 'llm-service',
    env: {
      LLM_HOSTS: `first=${first.url},second=${second.url}`,
      LLM_FIRST_BYTE_TIMEOUT_MS: '400',
      LLM_PROBE_INTERVAL_MS: '20',
      LLM_STRATEGY: 'round_robin',
    },
    // Here hosts fail in one test after the other; what their breakers do is in resilience.e2e-spec.ts.
    config: { llmService: { upstream: { circuitBreaker: { failureThreshold: 1_000_000 } } } },
  });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([first.close(), second.close()]);
});

beforeEach(async () => {
  await Promise.all([first.setFault(undefined), second.setFault(undefined)]);
  const bothAreWell = async () => {
    const health = (await (await fetch(`${gateway.url}/health`)).json()) as {
      details: { llm_hosts: { first: { state: string }; second: { state: string } } };
    };
    const { first: one, second: other } = health.details.llm_hosts;
    return one.state === 'HEALTHY' && other.state === 'HEALTHY';
  };
  await waitFor(bothAreWell, { what: 'two hosts that are well' });
});

const messages = [{ role: 'user' as const, content: 'hello' }];

const post = (body: string, headers: Record<string, string> = {}) =>
  postJson(`${gateway.url}/v1/chat/completions`, body, headers);

/** The request with this id, on whichever host it arrived. */
function arrived(id: string) {
  const found = [...first.calls, ...second.calls].find(({ headers }) => headers['x-request-id'] === id);
  if (!found) throw new Error('the request reached no host');
  return found;
}

describe('chat through the gateway, with the official client', () => {
  it('answers', async () => {
    const answer = await client.chat.completions.create({ model: 'simulated', messages });
    expect(answer.choices[0]?.message.content).toContain('[simulated]');
    expect(answer.usage?.total_tokens).toBeGreaterThan(0);
  });

  it('streams, with usage in the last chunk', async () => {
    const stream = await client.chat.completions.create({
      model: 'simulated',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage;
    }
    expect(text).toContain('You said: "hello"');
    expect(usage?.completion_tokens).toBeGreaterThan(0);
  });

  it('passes tools, JSON mode and logprobs through', async () => {
    const tools = [
      { type: 'function' as const, function: { name: 'look_up', parameters: { type: 'object' } } },
    ];
    const called = await client.chat.completions.create({
      model: 'simulated',
      messages,
      tools,
      tool_choice: { type: 'function', function: { name: 'look_up' } },
    });
    expect(called.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: 'look_up' } });
    const asked = await client.chat.completions.create({
      model: 'simulated',
      messages,
      logprobs: true,
      response_format: { type: 'json_object' },
    });
    expect(JSON.parse(asked.choices[0]?.message.content ?? '')).toBeInstanceOf(Object);
    expect(asked.choices[0]?.logprobs?.content?.length).toBeGreaterThan(0);
  });

  it('completes text', async () => {
    const answer = await client.completions.create({ model: 'simulated', prompt: 'once', max_tokens: 2 });
    expect(answer.choices[0]?.finish_reason).toBe('length');
  });

  it('lists the models of all hosts once, and gives one of them', async () => {
    const models = (await client.models.list()).data;
    expect(models.map(({ id }) => id)).toEqual(['simulated']);
    expect(models[0]?.owned_by).toBe('morgan-simulated');
    expect((await client.models.retrieve('simulated')).id).toBe('simulated');
    await expect(client.models.retrieve('some/other')).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe('what passes through', () => {
  it('is the body, byte for byte, with fields nobody has heard of', async () => {
    const id = randomUUID();
    const body =
      '{ "zeta": 1.0,  "model":"simulated",\n\t"messages":[{"role":"user","content":[{"type":"text","text":"\\u00e9"},' +
      '{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}], "big": 12345678901234567890, "x_new":{"b":[],"a":null} }';
    const response = await post(body, { 'x-request-id': id });
    expect(response.status).toBe(200);
    expect(arrived(id).body.toString()).toBe(body);
  });

  it("is the host's answer, byte for byte", async () => {
    const body = '{ "b": 1.0,\n "a":[ ], "choices":[ {} ], "big":12345678901234567890 }';
    const fault = {
      kind: 'status',
      status: 200,
      body,
      headers: { 'content-type': 'application/json', 'x-own': 'kept' },
    } as const;
    await Promise.all([first.setFault(fault), second.setFault(fault)]);
    const response = await post(JSON.stringify({ model: 'simulated', messages }));
    expect(await response.text()).toBe(body);
    expect(response.headers.get('x-own')).toBe('kept');
  });

  it('is not the key of the caller', async () => {
    const id = randomUUID();
    await post(JSON.stringify({ model: 'simulated', messages }), {
      'x-request-id': id,
      authorization: 'Bearer callers-key',
    });
    expect(JSON.stringify(arrived(id).headers)).not.toContain('callers-key');
  });

  it('carries who answered and the request id, whoever makes the answer', async () => {
    const relayed = await post(JSON.stringify({ model: 'simulated', messages }), {
      'x-request-id': 'mine-1',
    });
    expect(relayed.headers.get('x-request-id')).toBe('mine-1');
    expect(['first', 'second']).toContain(relayed.headers.get('x-morgan-host'));
    const own = await post('{');
    expect(own.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(own.headers.get('x-morgan-host')).toBe('gateway');
  });

  it('goes to the hosts in turn', async () => {
    const hosts: (string | null)[] = [];
    for (let call = 0; call < 6; call += 1) {
      const response = await post(JSON.stringify({ model: 'simulated', messages }));
      await response.arrayBuffer();
      hosts.push(response.headers.get('x-morgan-host'));
    }
    const turn = [hosts[0], hosts[1]];
    expect(new Set(turn).size).toBe(2);
    expect(hosts).toEqual([...turn, ...turn, ...turn]);
  });
});

describe('a host that fails before its first byte', () => {
  it.each([
    ['a 500', { kind: 'status', status: 500 }],
    ['a 503', { kind: 'status', status: 503 }],
    ['a refused connection', { kind: 'refuse' }],
    ['a reset', { kind: 'reset-before-headers' }],
    ['something that is not HTTP', { kind: 'bad-http' }],
    ['silence', { kind: 'stall-before-headers' }],
  ] as const)('is passed over after %s, and the caller sees nothing of it', async (_, fault) => {
    await first.setFault(fault);
    // A slow answer that is not streamed is not asked for twice: only a stream moves on from silence.
    const stream = fault.kind === 'stall-before-headers';
    for (let call = 0; call < 2; call += 1) {
      const response = await post(JSON.stringify({ model: 'simulated', messages, stream }));
      expect([response.status, response.headers.get('x-morgan-host')]).toEqual([200, 'second']);
      await response.arrayBuffer();
    }
  });

  it.each([
    ['refusing', { kind: 'refuse' }, 503, 'no_host_available'],
    ['cutting', { kind: 'reset-before-headers' }, 502, 'host_error'],
    ['silent', { kind: 'stall-before-headers' }, 504, 'host_timeout'],
  ] as const)('is an error with a stable code when all hosts are %s', async (_, fault, status, code) => {
    await Promise.all([first.setFault(fault), second.setFault(fault)]);
    const failed = client.chat.completions.create({ model: 'simulated', messages });
    await expect(failed).rejects.toBeInstanceOf(InternalServerError);
    await expect(failed).rejects.toMatchObject({ status, code, type: 'server_error' });
  });
});

describe("a host's refusal", () => {
  it('reaches the caller with its own status, text and time', async () => {
    const message = 'Too many requests for this GPU.';
    const fault = {
      kind: 'status',
      status: 429,
      headers: { 'retry-after': '7' },
      body: JSON.stringify({
        error: { message, type: 'requests', param: null, code: 'rate_limit_exceeded' },
      }),
    } as const;
    await using host = await startFakeLlmHost({ fault });
    await using gateway = await startService({ app: 'llm-service', env: { LLM_HOSTS: `one=${host.url}` } });
    const own = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const failed = own.chat.completions.create({ model: 'simulated', messages });
    await expect(failed).rejects.toBeInstanceOf(RateLimitError);
    const error = (await failed.catch((caught: unknown) => caught)) as APIError;
    expect(error.headers?.get('retry-after')).toBe('7');
    expect(error.message).toContain(message);
  });

  it('of one host is not seen where another answers', async () => {
    await first.setFault({ kind: 'status', status: 401 });
    for (let call = 0; call < 4; call += 1)
      expect(await client.chat.completions.create({ model: 'simulated', messages })).toBeDefined();
  });

  it('of an unknown model is a 404 that the client knows', async () => {
    const failed = client.chat.completions.create({ model: 'no-such-model', messages });
    await expect(failed).rejects.toBeInstanceOf(NotFoundError);
    await expect(failed).rejects.toMatchObject({ code: 'model_not_found', param: 'model' });
  });

  it("of the gateway's own key is the gateway's fault, not the caller's", async () => {
    const fault = { kind: 'status', status: 401 } as const;
    await Promise.all([first.setFault(fault), second.setFault(fault)]);
    await expect(client.chat.completions.create({ model: 'simulated', messages })).rejects.toMatchObject({
      status: 502,
      code: 'host_rejected_credentials',
    });
  });
});

describe('a request that is wrong', () => {
  it.each([
    ['no messages', { model: 'simulated' }, 'missing_required_parameter', 'messages'],
    ['empty messages', { model: 'simulated', messages: [] }, 'empty_array', 'messages'],
    ['no model', { messages }, 'missing_required_parameter', 'model'],
    [
      'a message without a role',
      { model: 'simulated', messages: [{ content: 'x' }] },
      'missing_required_parameter',
      'messages[0].role',
    ],
    ['a wrong type', { model: 'simulated', messages: 'hello' }, 'invalid_type', 'messages'],
    ['a wrong flag', { model: 'simulated', messages, stream: 'yes' }, 'invalid_type', 'stream'],
  ])('is refused with the field: %s', async (_, body, code, param) => {
    const failed = client.chat.completions.create(
      body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming,
    );
    await expect(failed).rejects.toBeInstanceOf(BadRequestError);
    await expect(failed).rejects.toMatchObject({ status: 400, code, param, type: 'invalid_request_error' });
  });

  it('is refused as malformed, of the wrong kind or at the wrong place', async () => {
    const malformed = await post('{"model":');
    expect([malformed.status, await codeOf(malformed)]).toEqual([400, 'invalid_json']);
    const form = await post('a=b', { 'content-type': 'application/x-www-form-urlencoded' });
    expect([form.status, await codeOf(form)]).toEqual([415, 'unsupported_media_type']);
    const method = await fetch(`${gateway.url}/v1/chat/completions`);
    expect([method.status, await codeOf(method), method.headers.get('allow')]).toEqual([
      405,
      'method_not_allowed',
      'POST',
    ]);
    const path = await fetch(`${gateway.url}/v1/chat`);
    expect([path.status, await codeOf(path)]).toEqual([404, 'unknown_url']);
  });
});

describe('a client that goes away', () => {
  it('in mid-stream ends the upstream request', async () => {
    const id = randomUUID();
    const slow = { kind: 'stall-in-stream', afterChunks: 2 } as const;
    await Promise.all([first.setFault(slow), second.setFault(slow)]);
    const stream = await client.chat.completions.create(
      { model: 'simulated', messages, stream: true },
      { headers: { 'x-request-id': id } },
    );
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    stream.controller.abort();
    await arrived(id).whenAborted();
  });

  it('while the host still thinks ends the upstream request', async () => {
    const id = randomUUID();
    const silent = { kind: 'slow', delayMs: 350 } as const;
    await Promise.all([first.setFault(silent), second.setFault(silent)]);
    const { port } = new URL(gateway.url);
    const call = httpRequest({
      port,
      method: 'POST',
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json', 'x-request-id': id },
    });
    call.on('error', () => undefined);
    call.end(JSON.stringify({ model: 'simulated', messages }));
    const request = await waitFor(() => arrived(id), { what: 'the request at a host' });
    call.destroy();
    // Before its time limit, at which the gateway would give it up for itself, it would have answered.
    await request.whenAborted();
  });
});

describe('a host that breaks off in mid-stream', () => {
  it('never looks like a clean end', async () => {
    const cut = { kind: 'cut-in-stream', afterChunks: 3 } as const;
    await Promise.all([first.setFault(cut), second.setFault(cut)]);
    const stream = await client.chat.completions.create({ model: 'simulated', messages, stream: true });
    const read = async () => {
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      return text;
    };
    await expect(read()).rejects.toThrow();
  });
});

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}
