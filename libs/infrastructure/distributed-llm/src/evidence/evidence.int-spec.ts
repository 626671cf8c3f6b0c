import { afterEach, describe, expect, it } from '@jest/globals';
import { CHAT, ClientBench, entry, errorOf, send, STREAM } from '../../fixture/client-bench.ts';
import {
  chat,
  CONTENT_CHUNK,
  cutBehindHeaders,
  events,
  json,
  refusal,
  type Reply,
  reset,
  ROLE_CHUNK,
  ScriptedHost,
  text,
} from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';
import type { Outcome } from './outcome.ts';

/** What the sole host's caller gets: the host's own status and text, or our code. */
interface Alone {
  readonly status: number;
  readonly says: string;
}

const ROWS: readonly (readonly [string, Reply, Outcome, Alone])[] = [
  [
    '404 for a model',
    refusal(404, 'The model `m` does not exist.', { type: 'NotFoundError' }),
    'model_not_found',
    { status: 404, says: 'does not exist' },
  ],
  [
    "Ollama's 404 for a model",
    json(404, { error: 'model "m" not found, try pulling it first' }),
    'model_not_found',
    { status: 404, says: 'try pulling' },
  ],
  [
    '404 for a LoRA adapter',
    json(404, { object: 'error', message: 'The lora adapter `x` is not loaded.', code: 404 }),
    'model_not_found',
    { status: 404, says: 'adapter' },
  ],
  [
    '404 for the path',
    json(404, { detail: 'Not Found' }),
    'path_not_found',
    { status: 404, says: 'The host has no POST /chat/completions: Not Found' },
  ],
  ['405', text(405, 'Method Not Allowed'), 'path_not_found', { status: 405, says: 'Method Not Allowed' }],
  ['501', refusal(501, 'Not here.'), 'path_not_found', { status: 501, says: 'Not here.' }],
  [
    '401',
    refusal(401, 'Incorrect API key provided: sk-…'),
    'credentials_rejected',
    { status: 502, says: 'host_rejected_credentials' },
  ],
  [
    '402',
    refusal(402, 'Insufficient credits.'),
    'quota_exhausted',
    { status: 402, says: 'Insufficient credits.' },
  ],
  [
    '403 for the key',
    refusal(403, 'Country not supported.'),
    'credentials_rejected',
    { status: 502, says: 'host_rejected_credentials' },
  ],
  [
    '429 without a quota',
    refusal(429, 'You exceeded your current quota.', { code: 'insufficient_quota' }),
    'quota_exhausted',
    { status: 429, says: 'current quota' },
  ],
  ['429', refusal(429, 'Slow down.'), 'rate_limited', { status: 429, says: 'Slow down.' }],
  [
    'a 400 that is about our key, in a list',
    json(400, [{ error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' } }]),
    'credentials_rejected',
    { status: 502, says: 'host_rejected_credentials' },
  ],
  [
    'a 400 that is about our credit',
    json(400, { type: 'error', error: { message: 'Your credit balance is too low.' } }),
    'quota_exhausted',
    { status: 400, says: 'credit balance' },
  ],
  [
    'a 403 that is about one model',
    refusal(403, 'Project `p` does not have access to model `m`', { code: 'model_not_found' }),
    'model_not_found',
    { status: 403, says: 'does not have access' },
  ],
  [
    "Anthropic's 404 for a model",
    json(404, { type: 'error', error: { type: 'not_found_error', message: 'model: m' } }),
    'model_not_found',
    { status: 404, says: 'model: m' },
  ],
  [
    "Google's 404 for a model, in a list",
    json(404, [{ error: { code: 404, message: 'models/m is not found for API version v1' } }]),
    'model_not_found',
    { status: 404, says: '"message":"models/m is not found' },
  ],
  [
    'a request that alone is above a limit per minute',
    refusal(429, 'Request too large for m on tokens per min (TPM): Limit 30, Requested 45.'),
    'conflict',
    { status: 429, says: 'Requested 45' },
  ],
  [
    'a context that is too long, as a fault of the host',
    refusal(500, 'the request exceeds the available context size'),
    'context_too_long',
    { status: 500, says: 'context size' },
  ],
  [
    'a firewall',
    text(403, '<html>Attention Required!</html>'),
    'server_error',
    { status: 403, says: 'status 403' },
  ],
  [
    'a 424 for a failed inference',
    json(424, { error: 'Request failed during generation', error_type: 'generation' }),
    'server_error',
    { status: 424, says: 'during generation' },
  ],
  ['529', refusal(529, 'Overloaded.'), 'overloaded', { status: 529, says: 'Overloaded.' }],
  ['409', refusal(409, 'Busy with another.'), 'conflict', { status: 409, says: 'another' }],
  ['425', refusal(425, 'Too early.'), 'conflict', { status: 425, says: 'Too early.' }],
  ['408', refusal(408, 'Took too long.'), 'server_error', { status: 408, says: 'Took too long.' }],
  ['500', refusal(500, 'CUDA error.'), 'server_error', { status: 500, says: 'CUDA error.' }],
  ['500 as text', text(500, 'upstream error'), 'server_error', { status: 500, says: 'upstream error' }],
  ['502 as HTML', text(502, '<html>Bad Gateway</html>'), 'server_error', { status: 502, says: 'status 502' }],
  [
    'an error object as the whole JSON',
    json(200, { error: { message: 'engine died' } }),
    'error_in_answer',
    { status: 502, says: 'engine died' },
  ],
  [
    'an error object with a status',
    json(200, { error: { message: 'slow down', code: 429 } }),
    'rate_limited',
    { status: 429, says: 'slow down' },
  ],
  [
    'an error without an error object',
    json(200, { error_code: 17, error_msg: 'It broke.' }),
    'error_in_answer',
    { status: 502, says: 'It broke.' },
  ],
  [
    'no choices and no reason',
    json(200, { id: 'c1', object: 'chat.completion', choices: null }),
    'error_in_answer',
    { status: 502, says: 'no answer' },
  ],
  [
    'an answer without choices',
    json(200, { id: 'c1', object: 'chat.completion', usage: { prompt_tokens: 2 } }),
    'error_in_answer',
    { status: 502, says: 'no answer' },
  ],
  [
    'a message without a word, and without a token',
    json(200, {
      choices: [{ message: { role: 'assistant', content: null }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 0 },
    }),
    'error_in_answer',
    { status: 502, says: 'no answer' },
  ],
  [
    'an empty list of choices',
    json(200, { id: 'c1', object: 'chat.completion', choices: [], usage: { completion_tokens: 0 } }),
    'error_in_answer',
    { status: 502, says: 'no answer' },
  ],
  [
    'an error in a list, with a good status',
    json(200, [{ error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } }]),
    'overloaded',
    { status: 503, says: 'is overloaded' },
  ],
  [
    'a choice that its host gave up',
    json(200, { choices: [{ message: { content: 'hal' }, finish_reason: 'timeout' }] }),
    'error_in_answer',
    { status: 502, says: 'timeout' },
  ],
  [
    'an error of AWS',
    json(400, { __type: 'com.amazon#ThrottlingException', message: 'Rate exceeded' }),
    'rate_limited',
    { status: 400, says: 'Rate exceeded' },
  ],
  ['a 418', refusal(418, 'Not a model.'), 'conflict', { status: 418, says: 'Not a model.' }],
  [
    'an unknown path with a good status',
    json(200, { error: 'Unexpected endpoint or method. (POST /chat/completions)' }),
    'path_not_found',
    { status: 404, says: 'Unexpected endpoint' },
  ],
  [
    'a rate limit with a good status and no code',
    json(200, { error: { message: 'Rate limit exceeded: free-models-per-min.' } }),
    'rate_limited',
    { status: 429, says: 'free-models' },
  ],
  [
    'a page with a 400',
    text(400, '<html>The plain HTTP request was sent to HTTPS port</html>'),
    'conflict',
    { status: 400, says: 'status 400' },
  ],
  [
    'a 400 as text',
    text(400, 'Client sent an HTTP request to an HTTPS server.'),
    'conflict',
    { status: 400, says: 'HTTPS server' },
  ],
  [
    'a flag that the host lacks',
    refusal(400, '"auto" tool choice requires --enable-auto-tool-choice'),
    'conflict',
    { status: 400, says: 'tool choice requires' },
  ],
  [
    'a model that does not fit into memory',
    json(500, { error: 'model requires more system memory (5.6 GiB) than is available (2.1 GiB)' }),
    'model_not_found',
    { status: 500, says: 'system memory' },
  ],
  [
    'a choice that broke off',
    json(200, { choices: [{ message: { content: 'hal' }, finish_reason: 'network_error' }] }),
    'error_in_answer',
    { status: 502, says: 'network_error' },
  ],
  [
    '200 with HTML',
    text(200, '<html></html>', { 'content-type': 'text/html' }),
    'html',
    { status: 502, says: 'host_error' },
  ],
  ['200 with nothing', text(200, ''), 'empty', { status: 502, says: 'host_error' }],
  ['204', (response) => void response.writeHead(204).end(), 'empty', { status: 502, says: 'host_error' }],
  [
    'a stream that nobody asked for',
    events(ROLE_CHUNK + CONTENT_CHUNK + 'data: [DONE]\n\n'),
    'wrong_type',
    { status: 502, says: 'host_error' },
  ],
  ['a wrong type', text(200, 'OK'), 'wrong_type', { status: 502, says: 'host_error' }],
  [
    'a JSON without its last two bytes',
    text(200, '{"choices":[{"message":{"content":"hello"}}'),
    'cut',
    { status: 502, says: 'host_error' },
  ],
  ['half a JSON', text(200, '{"id":"c1","choices":['), 'cut', { status: 502, says: 'host_error' }],
  [
    'a redirect',
    text(302, '', { location: 'http://127.0.0.1:1/' }),
    'redirect',
    { status: 502, says: 'host_error' },
  ],
  ['a reset', reset, 'reset', { status: 502, says: 'host_error' }],
];

const STREAMED: readonly (readonly [string, Reply, Outcome, Alone])[] = [
  [
    'an error object as the first event',
    events(`data: ${JSON.stringify({ error: { message: 'engine died' } })}\n\n`),
    'error_in_answer',
    { status: 502, says: 'engine died' },
  ],
  [
    'an error object behind the role chunk',
    events(
      `: hi\n\n${ROLE_CHUNK}data: ${JSON.stringify({ error: { message: 'no memory', code: 500 } })}\n\n`,
    ),
    'server_error',
    { status: 500, says: 'no memory' },
  ],
  [
    'an error in the words of no stream',
    events(JSON.stringify({ error: { message: 'no memory', code: 500 } })),
    'server_error',
    { status: 500, says: 'no memory' },
  ],
  [
    'an event that only its name calls an error',
    events('event: error\ndata: {"message":"no memory"}\n\ndata: [DONE]\n\n'),
    'error_in_answer',
    { status: 502, says: 'no memory' },
  ],
  [
    'an error as text',
    events('event: error\ndata: no memory\n\n'),
    'error_in_answer',
    { status: 502, says: 'no memory' },
  ],
  [
    'a choice that broke off before its first content',
    events(`${ROLE_CHUNK}data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n\n`),
    'error_in_answer',
    { status: 502, says: 'broke off' },
  ],
  [
    'a call of a tool that could not be read',
    events(
      `${ROLE_CHUNK}data: {"choices":[{"index":0,"delta":{},"finish_reason":"function_call_filter: MALFORMED_FUNCTION_CALL"}]}\n\n`,
    ),
    'error_in_answer',
    { status: 502, says: 'broke off' },
  ],
  [
    'a stream that ends without a word, and without a token',
    events(
      `${ROLE_CHUNK}data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: {"choices":[],"usage":{"completion_tokens":0}}\n\ndata: [DONE]\n\n`,
    ),
    'empty',
    { status: 502, says: 'host_error' },
  ],
  ['a stream of nothing', events(''), 'empty', { status: 502, says: 'host_error' }],
  [
    'a stream that ends behind its role chunk',
    events(ROLE_CHUNK),
    'cut',
    { status: 502, says: 'host_error' },
  ],
  ['a cut behind the headers', cutBehindHeaders, 'cut', { status: 502, says: 'host_error' }],
  ['a JSON error', refusal(500, 'CUDA error.'), 'server_error', { status: 500, says: 'CUDA error.' }],
  [
    'a refusal in the form of a stream',
    text(429, 'event: error\ndata: {"error":{"message":"Slow down."}}\n\ndata: [DONE]\n\n', {
      'content-type': 'text/event-stream',
    }),
    'rate_limited',
    { status: 429, says: '"message":"Slow down."' },
  ],
];

const bench = new ClientBench();
afterEach(() => bench.close());

/** Status and text of what the caller of a client gets. */
async function outcomeOf(client: DistributedLlmClient, body?: Buffer): Promise<Alone & { host: string }> {
  try {
    const response = await send(client, body ? { body } : {});
    return { status: response.status, says: (await response.body.bytes()).toString(), host: response.host };
  } catch {
    const error = await errorOf(send(client, body ? { body } : {}));
    return { status: error.status, says: `${error.code}: ${error.message}`, host: '' };
  }
}

describe.each([
  ['whole', undefined, ROWS],
  ['streamed', STREAM, STREAMED],
] as const)('an answer that is %s', (_, body, rows) => {
  it.each(rows)('%s moves the call on to an equal host', async (__, reply, outcome) => {
    await using bad = await ScriptedHost.start(reply);
    await using good = await ScriptedHost.start();
    const client = bench.client([entry('bad', bad.url), entry('good', good.url)], { maxRetryAfterWaitMs: 0 });
    for (let call = 0; call < 4; call += 1) {
      const { status, says, host } = await outcomeOf(client, body);
      expect([status, host]).toEqual([200, 'good']);
      expect(says).toContain('hello');
    }
    expect(bad.asked).toBeGreaterThan(0);
    expect(
      Number(await bench.metric(`morgan_llm_host_requests_total{host="bad",outcome="${outcome}"}`)),
    ).toBe(bad.asked);
  });

  it.each(rows)('%s of the sole host reaches the caller in its own words', async (__, reply, ___, alone) => {
    await using only = await ScriptedHost.start(reply);
    const client = bench.client([entry('only', only.url)], { maxRetryAfterWaitMs: 0 });
    const seen = await outcomeOf(client, body);
    expect(seen.status).toBe(alone.status);
    expect(seen.says).toContain(alone.says);
    only.reply = chat('hello');
    expect(await outcomeOf(client, body)).toMatchObject({ status: 200, host: 'only' });
  });
});

describe('a refusal that is about the request', () => {
  it.each<[string, Reply, Outcome, number]>([
    ['a malformed request', refusal(400, 'messages is empty'), 'malformed_request', 400],
    ['422', json(422, { detail: [{ loc: ['body', 'n'], msg: 'too small' }] }), 'malformed_request', 422],
    ['a flagged input', refusal(403, 'The input was flagged by moderation.'), 'policy_refusal', 403],
    [
      'a broken rule of use',
      json(403, { code: 'denied', error: 'Content violates usage guidelines.' }),
      'policy_refusal',
      403,
    ],
    [
      'a content filter',
      refusal(400, 'blocked', { code: 'content_policy_violation' }),
      'policy_refusal',
      400,
    ],
    [
      'a context that is too long',
      refusal(400, 'too long', { code: 'context_length_exceeded' }),
      'context_too_long',
      400,
    ],
    [
      'a field that the model of both does not take',
      refusal(400, "Unsupported parameter: 'temperature' is not supported with this model."),
      'unsupported_by_model',
      400,
    ],
    ['something else that is not found', refusal(404, 'No such response: resp_1.'), 'malformed_request', 404],
  ])('%s goes back as it is, and nobody else is asked', async (_, reply, outcome, status) => {
    await using first = await ScriptedHost.start(reply);
    await using second = await ScriptedHost.start();
    const client = bench.client([entry('first', first.url), entry('second', second.url)]);
    expect((await outcomeOf(client)).status).toBe(status);
    expect([first.asked, second.asked]).toEqual([1, 0]);
    expect(await bench.metric(`morgan_llm_host_requests_total{host="first",outcome="${outcome}"}`)).toBe('1');
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
  });
});

describe('a filter in the middle of an answer', () => {
  it('is no fault of the host', async () => {
    const filtered = 'data: {"error":{"message":"filtered","code":"content_filter"}}\n\n';
    await using only = await ScriptedHost.start(events(ROLE_CHUNK + CONTENT_CHUNK + filtered));
    const client = bench.client([entry('only', only.url)]);
    const { body } = await send(client, { body: STREAM });
    await expect(body.bytes()).rejects.toThrow();
    expect(await bench.metric('morgan_llm_host_requests_total{host="only",outcome="policy_refusal"}')).toBe(
      '1',
    );
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 0 });
  });
});

describe('a context that is too long', () => {
  it('is no fault of the sole host, though it says so with a 500', async () => {
    await using only = await ScriptedHost.start(refusal(500, 'input is too large to process'));
    const client = bench.client([entry('only', only.url)]);
    for (let call = 0; call < 8; call += 1) {
      const body = Buffer.from(JSON.stringify({ ...CHAT, messages: [{ role: 'user', content: `${call}` }] }));
      expect((await outcomeOf(client, body)).status).toBe(500);
    }
    expect(only.asked).toBe(8);
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
  });
});

describe('a limit that a host names in its body', () => {
  it.each<[string, Reply]>([
    [
      'as Google does',
      json(429, { error: { code: 429, message: 'Exhausted.', details: [{ retryDelay: '20s' }] } }),
    ],
    ['while it loads', json(503, { error: 'Model m is currently loading', estimated_time: 20 })],
  ])('is kept and told to the caller: %s', async (_, reply) => {
    await using only = await ScriptedHost.start(reply);
    const client = bench.client([entry('only', only.url)], { maxRetryAfterWaitMs: 0 });
    for (let call = 0; call < 2; call += 1) {
      const { headers } = await send(client);
      expect(headers[headers.indexOf('retry-after') + 1]).toBe('20');
    }
    expect(only.asked).toBe(1);
  });
});

describe('an answer that is one', () => {
  it.each<[string, string]>([
    ['a role chunk first', ROLE_CHUNK],
    ['comments first', ': ping\n\n: ping\r\n\r\n'],
  ])('with %s is forwarded byte for byte', async (_, start) => {
    const whole = `${start}data: {"choices":[{"index":0,"delta":{"content":"é"}}]}\n\ndata: [DONE]\n\n`;
    await using host = await ScriptedHost.start(events(whole));
    const client = bench.client([entry('host', host.url)]);
    expect(await outcomeOf(client, STREAM)).toMatchObject({ status: 200, says: whole });
  });

  it('and says nothing but its end is an answer all the same', async () => {
    const whole = `${ROLE_CHUNK}data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;
    await using host = await ScriptedHost.start(events(whole));
    const client = bench.client([entry('host', host.url)]);
    expect(await outcomeOf(client, STREAM)).toMatchObject({ status: 200, says: whole });
  });

  it('of 3 MB passes', async () => {
    const content = 'x'.repeat(3 * 1024 * 1024);
    await using host = await ScriptedHost.start(chat(content));
    const client = bench.client([entry('host', host.url)]);
    const { status, says } = await outcomeOf(client);
    expect([status, says.length > content.length]).toEqual([200, true]);
  });
});
