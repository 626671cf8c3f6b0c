import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { StreamFault } from '@morgan/llm-protocol';
import { CHAT, ClientBench, entry, KEYS, send, STREAM } from '../../fixture/client-bench.ts';
import {
  CONTENT_CHUNK,
  END_CHUNKS,
  events,
  json,
  type Reply,
  ROLE_CHUNK,
  ScriptedHost,
  text,
} from '../../fixture/scripted-host.ts';

const WHOLE = JSON.stringify({ id: 'c1', choices: [{ message: { role: 'assistant', content: 'hello' } }] });
const EVENTS = ROLE_CHUNK + CONTENT_CHUNK + END_CHUNKS;
const TYPE = 'text/event-stream';
/** Takes nothing of a stream but its fault. */
const silently = (failed: (fault: StreamFault) => void) => ({
  event: () => undefined,
  flush: () => undefined,
  ended: () => undefined,
  failed,
});

const BOM = '\uFEFF';

const bench = new ClientBench();
afterEach(() => bench.close());

/** What a caller gets of two hosts of which only the first is odd. */
async function ask(reply: Reply, request: Parameters<typeof send>[1] = {}) {
  await using odd = await ScriptedHost.start(reply);
  odd.list = reply;
  await using other = await ScriptedHost.start(text(500, 'not this one'));
  const hosts = [entry('odd', odd.url, { apiKey: KEYS[0], weight: 1_000 }), entry('other', other.url)];
  const client = bench.client(hosts, { strategy: 'round_robin' });
  const response = await send(client, request);
  const { host, status, headers, stream } = response;
  const said = (await response.body.bytes()).toString();
  return { host, status, headers: headers.join('\n').toLowerCase(), isStream: stream !== undefined, said };
}

describe('an answer in an odd dress is an answer', () => {
  it.each<[string, string]>([
    ['behind white space for minutes', ' \n'.repeat(40_000) + WHOLE],
    ['in front of white space', WHOLE + '\r\n'.repeat(500)],
    ['behind a byte order mark', BOM + WHOLE],
    [
      'that a filter has left nothing of',
      JSON.stringify({ id: 'c1', choices: [], prompt_filter_results: [{ prompt_index: 0 }] }),
    ],
    [
      'that speaks of errors',
      JSON.stringify({
        choices: [{ error: null, message: { content: '"error": {"message": "x"}, error"' } }],
      }),
    ],
    ['whose fields come in another order', JSON.stringify({ message: 'ok', choices: [{ message: {} }] })],
  ])('%s', async (_, body) => {
    expect(await ask(text(200, body, { 'content-type': 'application/json' }))).toMatchObject({
      host: 'odd',
      status: 200,
      said: body,
    });
  });

  it.each([
    ['plain text', { 'content-type': 'text/plain; charset=utf-8' }],
    ['JSON', { 'content-type': 'application/json' }],
    ['bytes', { 'content-type': 'application/octet-stream' }],
    ['nothing', {}],
    ['a page', { 'content-type': 'text/html; charset=utf-8' }],
  ])('as a stream that calls itself %s', async (_, headers) => {
    const whole = `: hi\n\n${EVENTS}`;
    const reply: Reply = (response) => void response.writeHead(200, headers).end(whole);
    const seen = await ask(reply, { body: STREAM });
    expect(seen).toMatchObject({ host: 'odd', status: 200, isStream: true, said: whole });
  });

  it.each<[string, Record<string, string>]>([
    ['a page', { 'Content-Type': 'text/html' }],
    ['bytes', { 'Content-Type': 'application/octet-stream' }],
    ['nothing', {}],
  ])('as a JSON that calls itself %s', async (_, type) => {
    const reply: Reply = (response) => void response.writeHead(200, type).end(WHOLE);
    const { headers, ...seen } = await ask(reply);
    expect(seen).toMatchObject({ host: 'odd', said: WHOLE });
    expect(headers.match(/content-type\n.*/g)).toEqual(['content-type\napplication/json']);
  });

  it('as a JSON that calls itself a stream', async () => {
    const reply: Reply = (response) => void response.writeHead(200, { 'content-type': TYPE }).end(WHOLE);
    const { headers, ...seen } = await ask(reply);
    expect(seen).toMatchObject({ host: 'odd', said: WHOLE });
    expect(headers.match(/content-type\n.*/g)).toEqual(['content-type\napplication/json']);
  });

  it.each([WHOLE, `${WHOLE}\n\ndata: [DONE]\n\n`, ` \n${WHOLE}\n`])(
    'as a JSON that calls itself a stream, where one was asked for',
    async (body) => {
      const reply: Reply = (response) => void response.writeHead(200, { 'content-type': TYPE }).end(body);
      const seen = await ask(reply, { body: STREAM });
      expect(seen).toMatchObject({ host: 'odd', isStream: false });
      expect(seen.said.trim()).toBe(WHOLE);
    },
  );

  it.each<[string, object | undefined]>([
    ['as a whole', undefined],
    ['as a stream', { body: STREAM }],
  ])('%s with a type that a proxy has added to', async (_, request) => {
    const [type, body] = request ? ['text/event-stream', EVENTS] : ['application/json', WHOLE];
    const reply: Reply = (response) =>
      void response.writeHead(200, ['content-type', type, 'content-type', 'text/plain']).end(body);
    expect(await ask(reply, request)).toMatchObject({ host: 'odd', status: 200, said: body });
  });

  it.each(['"[DONE]"', ' [DONE]', '[DONE] ', '[done]'])(
    'as a stream whose end marker is spelled in another way: %j',
    async (marker) => {
      const said = ROLE_CHUNK + CONTENT_CHUNK;
      const seen = await ask(events(`${said}data: ${marker}\n\n`), { body: STREAM });
      expect(seen).toMatchObject({ host: 'odd', said: `${said}data: [DONE]\n\n` });
    },
  );

  it('as a JSON where a stream was asked for', async () => {
    expect(await ask(json(200, JSON.parse(WHOLE)), { body: STREAM })).toMatchObject({
      host: 'odd',
      isStream: false,
      said: WHOLE,
    });
  });

  it('as something that a host keeps and that had failed', async () => {
    const kept = {
      id: 'resp_1',
      object: 'response',
      status: 'failed',
      error: { code: 'server_error', message: 'x' },
    };
    const request = { method: 'GET', path: '/responses/resp_1', body: undefined } as const;
    expect(await ask(json(200, kept), request)).toMatchObject({ host: 'odd', said: JSON.stringify(kept) });
  });
});

describe('what is no answer moves the call on:', () => {
  const line = (content: string) => `${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;

  const whole = JSON.parse(WHOLE) as object;
  const message = { type: 'message', content: [{ type: 'text', text: 'hello' }], stop_reason: 'end_turn' };
  const response = { object: 'response', status: 'completed', output: [{ type: 'message', content: [] }] };

  it.each<[string, Reply, { readonly path?: string; readonly body?: Buffer }]>([
    ['an object with nothing in it', json(200, {}), {}],
    ['an answer within something else', json(200, { data: whole, success: true }), {}],
    ['a choice whose message is a text', json(200, { choices: [{ message: 'hello' }] }), {}],
    ['a chat completion in the place of a message', json(200, whole), { path: '/messages' }],
    ['a chat completion in the place of a response', json(200, whole), { path: '/responses' }],
    ['a message in the place of a response', json(200, message), { path: '/responses' }],
    ['a choice without a message', json(200, { choices: [{ message: null, finish_reason: 'stop' }] }), {}],
    ['a list of choices that are none', json(200, { choices: [['stop']] }), {}],
    [
      'a message with nothing in it, of which no token was counted',
      json(200, { type: 'message', content: [], stop_reason: null, usage: { output_tokens: 0 } }),
      { path: '/messages' },
    ],
    [
      'a response that failed and does not say why',
      json(200, { object: 'response', status: 'failed', error: null, output: [{}] }),
      { path: '/responses' },
    ],
    ['a stream of JSON without the form of events', events(line('a') + line('b')), { body: STREAM }],
  ])('%s', async (_, reply, request) => {
    await using odd = await ScriptedHost.start(reply);
    const answer = { '/messages': message, '/responses': response }[request.path ?? ''] ?? whole;
    await using other = await ScriptedHost.start(json(200, answer));
    const tiers = [[{ host: 'odd' }], [{ host: 'other' }]];
    const client = bench.client([entry('odd', odd.url), entry('other', other.url)], {
      routes: [{ model: CHAT.model, tiers }],
    });
    const seen = await send(client, request);
    expect(seen).toMatchObject({ host: 'other', status: 200 });
    expect((await seen.body.bytes()).toString()).toBe(JSON.stringify(answer));
  });
});

describe('an answer of another API', () => {
  const said = (content: string, done: boolean) => ({ message: { role: 'assistant', content }, done });
  const lines = [said('Secret.', false), said('', true)].map((each) => JSON.stringify(each)).join('\n');
  const ndjson = text(200, `${lines}\n`, { 'content-type': 'application/x-ndjson' });

  it.each<[string, Reply, object]>([
    ['in lines', ndjson, {}],
    ['in lines where a stream was asked for', ndjson, { body: STREAM }],
  ])('%s is of the wrong type, and not asked for again', async (_, reply, request) => {
    await using odd = await ScriptedHost.start(reply);
    await using other = await ScriptedHost.start(json(200, JSON.parse(WHOLE)));
    const tiers = [[{ host: 'odd' }], [{ host: 'other' }]];
    const client = bench.client([entry('odd', odd.url), entry('other', other.url)], {
      routes: [{ model: CHAT.model, tiers }],
    });
    expect(await send(client, request)).toMatchObject({ host: 'other', attempts: 2 });
    expect(await bench.metric('morgan_llm_host_requests_total{host="odd",outcome="wrong_type"}')).toBe('1');
  });

  it('is no error whose words are what the model said', async () => {
    await using host = await ScriptedHost.start(json(200, said('Secret.', true)));
    const { status, body } = await send(bench.client([entry('host', host.url)]));
    const told = (await body.bytes()).toString();
    expect([status, told]).toEqual([502, expect.stringContaining("Ollama's own API")]);
    expect(told).not.toContain('Secret.');
  });
});

describe('an answer that may be anything', () => {
  const ERROR = { code: 500, message: 'It broke.' };

  it.each<[string, object | null, string]>([
    ['/rerank', ERROR, 'server_error'],
    ['/images/generations', ERROR, 'server_error'],
    ['/rerank', { code: 20012, message: 'Model does not exist.', data: null }, 'model_not_found'],
    ['/rerank', { detail: 'The queue is full.' }, 'overloaded'],
    ['/rerank', { status: 'error', message: 'It broke.' }, 'error_in_answer'],
    ['/rerank', {}, 'error_in_answer'],
    ['/rerank', null, 'wrong_type'],
    ['/../score', { data: null }, 'error_in_answer'],
    ['/moderations', { id: 'm', results: [] }, 'error_in_answer'],
    ['/images/generations', { created: 1, data: [] }, 'error_in_answer'],
    ['/images/generations', { created: 1, data: null }, 'error_in_answer'],
    ['/chat/completions', { 'html-message': 'Network connection lost.' }, 'error_in_answer'],
  ])('is none on %s where it is %j', async (path, said, outcome) => {
    await using odd = await ScriptedHost.start(json(200, said));
    await using other = await ScriptedHost.start(
      json(200, { ...JSON.parse(WHOLE), results: [{}], data: [{ url: 'u' }] }),
    );
    const tiers = [[{ host: 'odd' }], [{ host: 'other' }]];
    const client = bench.client([entry('odd', odd.url), entry('other', other.url)], {
      routes: [{ model: CHAT.model, tiers }],
    });
    expect(await send(client, { path })).toMatchObject({ host: 'other', status: 200 });
    const line = `morgan_llm_host_requests_total{host="odd",outcome="${outcome}"}`;
    expect(Number(await bench.metric(line))).toBe(odd.asked);
  });

  it.each<[string, object]>([
    ['/rerank', { code: 0, message: 'success', results: [{ index: 0 }] }],
    ['/rerank', { code: 7, message: 'partly', results: [{ index: 0 }] }],
    ['/rerank', { results: [] }],
    ['/images/generations', { created: 1, data: [], content_filter_results: { hate: {} } }],
    ['/pooling', {}],
    ['/audio/transcriptions', { text: 'The "code" is "status".' }],
  ])('is one on %s where it is %j', async (path, said) => {
    expect(await ask(json(200, said), { path })).toMatchObject({ host: 'odd', status: 200 });
  });
});

describe('a response that is completed', () => {
  const path = '/responses';
  const told = (response: object) => `data: ${JSON.stringify({ type: 'response.completed', response })}\n\n`;
  const text = `data: ${JSON.stringify({ type: 'response.output_text.delta', delta: 'hello' })}\n\n`;
  const nothing = { id: 'resp_1', object: 'response', status: 'completed', output: [] };
  const usage = { input_tokens: 3, output_tokens: 5 };
  const output = [{ type: 'message', content: [] }];
  const whole = (response: object) => [json(200, response), {}] as const;
  const streamed = (...parts: string[]) => [events(parts.join('')), { body: STREAM }] as const;

  it.each<[string, readonly [Reply, object]]>([
    ['as a whole', whole(nothing)],
    ['as a stream', streamed(told(nothing))],
  ])('moves the call on where it lists nothing and counts nothing, %s', async (_, [reply, request]) => {
    await using odd = await ScriptedHost.start(reply);
    await using other = await ScriptedHost.start(json(200, { ...nothing, output }));
    const tiers = [[{ host: 'odd' }], [{ host: 'other' }]];
    const client = bench.client([entry('odd', odd.url), entry('other', other.url)], {
      routes: [{ model: CHAT.model, tiers }],
    });
    const response = await send(client, { path, ...request });
    expect(response).toMatchObject({ host: 'other', status: 200 });
    await response.body.bytes();
  });

  it.each<[string, readonly [Reply, object]]>([
    ['whose host has counted tokens', whole({ ...nothing, usage })],
    ['with an item that is empty', whole({ ...nothing, output })],
    ['whose host has counted tokens of a stream', streamed(told({ ...nothing, usage }))],
    ['that lists nothing behind its text', streamed(text, told(nothing))],
  ])('is an answer %s', async (_, [reply, request]) => {
    expect(await ask(reply, { path, ...request })).toMatchObject({ host: 'odd', status: 200 });
  });
});

describe('vectors', () => {
  it('may be none where none are asked for', async () => {
    const request = {
      path: '/embeddings',
      body: Buffer.from(JSON.stringify({ model: CHAT.model, input: [] })),
    };
    const seen = await ask(json(200, { object: 'list', data: [] }), request);
    expect(seen).toMatchObject({ host: 'odd', said: '{"object":"list","data":[]}' });
  });

  it.each<[string, object]>([
    ['none', { object: 'list', data: [] }],
    ['an error in a form of its own', { code: 20012, message: 'Model does not exist.', data: null }],
  ])('that are %s move the call on', async (_, said) => {
    await using odd = await ScriptedHost.start(json(200, said));
    await using other = await ScriptedHost.start(json(200, { data: [{ embedding: [1] }] }));
    const tiers = [[{ host: 'odd' }], [{ host: 'other' }]];
    const client = bench.client([entry('odd', odd.url), entry('other', other.url)], {
      routes: [{ model: CHAT.model, tiers }],
    });
    const response = await send(client, { path: '/embeddings' });
    expect(response).toMatchObject({ host: 'other', status: 200 });
    await response.body.bytes();
  });
});

describe('a JSON that is longer than what is held back', () => {
  const long = JSON.stringify({ data: [{ embedding: Array(400_000).fill(0.25) }] });
  const reply = (body: string) => text(200, body, { 'content-type': 'application/json' });
  const path = '/embeddings';

  it.each(['', '\n'])('passes as it came, with %j at its end', async (end) => {
    expect(await ask(reply(long + end), { path })).toMatchObject({ host: 'odd', said: long + end });
  });

  it('breaks for its reader where it breaks off with a clean end', async () => {
    await using host = await ScriptedHost.start(reply(long.slice(0, -7)));
    const client = bench.client([entry('host', host.url)]);
    const { body } = await send(client, { path });
    await expect(body.bytes()).rejects.toMatchObject({ code: 'stream_interrupted' });
    expect(await bench.metric('morgan_llm_host_requests_total{host="host",outcome="interrupted"}')).toBe('1');
  });
});

describe('what is nested too deep', () => {
  const nested = (opening: string, depth: number, closing: string) =>
    `${opening.repeat(depth)}1${closing.repeat(depth)}`;
  const reply = (status: number, body: string) => text(status, body, { 'content-type': 'application/json' });

  it('to be read is an answer that is not valid, and another host answers', async () => {
    const body = nested('{"type":"response.failed","response":', 25_000, '}');
    await using deep = await ScriptedHost.start(reply(200, body));
    await using other = await ScriptedHost.start(reply(200, WHOLE));
    const hosts = [entry('deep', deep.url, { weight: 1_000 }), entry('other', other.url)];
    const client = bench.client(hosts, { strategy: 'round_robin' });
    expect(await send(client)).toMatchObject({ host: 'other', status: 200, attempts: 2 });
    expect(await bench.metric('morgan_llm_host_requests_total{host="deep",outcome="bad_response"}')).toBe(
      '1',
    );
  });

  it.each([400, 500])('to be told is a refusal with status %i all the same', async (status) => {
    const message = nested('{"a":', 9_000, '}');
    await using deep = await ScriptedHost.start(reply(status, `{"error":{"message":${message}}}`));
    const client = bench.client([entry('deep', deep.url)]);
    const response = await send(client);
    expect(response.status).toBe(status);
    expect(JSON.parse(String(response.whole))).toMatchObject({
      error: { message: expect.stringContaining('without a message') },
    });
  });
});

it.each([600, 999])('a status that does not exist, such as %i, is told as one that does', async (status) => {
  await using host = await ScriptedHost.start(text(status, ''));
  const response = await send(bench.client([entry('host', host.url)]));
  expect(response.status).toBe(599);
  expect(String(response.whole)).toContain(`with status ${status}`);
  expect(await bench.metric('morgan_llm_host_requests_total{host="host",outcome="server_error"}')).toBe('2');
});

describe('compression that nobody asked for is undone', () => {
  const ENCODINGS = [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ] as const;
  const packed =
    (status: number, bytes: Buffer, headers: Record<string, string>): Reply =>
    (response) =>
      void response.writeHead(status, { ...headers, 'content-length': bytes.length }).end(bytes);

  it.each(ENCODINGS)('%s of a whole answer', async (encoding, pack) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
    const seen = await ask(packed(200, pack(WHOLE), headers));
    expect(seen).toMatchObject({ host: 'odd', said: WHOLE });
    expect(seen.headers).not.toMatch(/content-(encoding|length)/);
  });

  it.each(ENCODINGS)('%s of a stream', async (encoding, pack) => {
    const headers = { 'content-type': 'text/event-stream', 'content-encoding': encoding };
    expect(await ask(packed(200, pack(EVENTS), headers), { body: STREAM })).toMatchObject({
      host: 'odd',
      isStream: true,
      said: EVENTS,
    });
  });

  it('of a refusal, whose words are read', async () => {
    const refusal = JSON.stringify({ error: { message: 'messages is empty', code: null } });
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect(await ask(packed(400, gzipSync(refusal), headers))).toMatchObject({ status: 400, said: refusal });
  });
});

describe('a transcript', () => {
  it.each(['', '\n', '<|nospeech|>', '[music]'])('may be the text %j', async (said) => {
    const path = '/audio/transcriptions';
    expect(await ask(text(200, said), { path })).toMatchObject({ host: 'odd', status: 200, said });
  });
});

describe('speech', () => {
  const asSpeech = async (reply: Reply) => {
    await using odd = await ScriptedHost.start(reply);
    await using other = await ScriptedHost.start(text(200, 'sound', { 'content-type': 'audio/mpeg' }));
    const client = bench.client([entry('odd', odd.url, { weight: 1_000 }), entry('other', other.url)], {
      strategy: 'round_robin',
    });
    const { host, body } = await send(client, { path: '/audio/speech' });
    return { host, said: (await body.bytes()).toString('latin1') };
  };
  const sound = (...pieces: string[]): Reply => {
    return (response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      for (const piece of pieces) response.write(piece, 'latin1');
      response.end();
    };
  };
  const ERROR = JSON.stringify({ error: { message: 'The engine is out of voices.', code: 500 } });

  it.each([
    ['in one piece', [ERROR]],
    ['in two', [ERROR.slice(0, 9), ERROR.slice(9)]],
  ])('that is an error object %s moves the call on', async (_, pieces) => {
    expect(await asSpeech(sound(...pieces))).toEqual({ host: 'other', said: 'sound' });
  });

  it.each([
    ['begins like a JSON', '{\u0000\u007f'],
    ['begins like a JSON and is long', `{${'\u00ff'.repeat(40_000)}}`],
    ['holds an error in a JSON of its own', '{"notes":"error"}'],
  ])('that %s is content, byte for byte', async (_, bytes) => {
    expect(await asSpeech(sound(bytes))).toEqual({ host: 'odd', said: bytes });
  });
});

describe('the key of a host', () => {
  const SECRETS = {
    headers: { 'api-key': 'secret-of-a-header', 'x-team': 'blue-team' },
    query: { key: 'secret-of-a-query', 'api-version': '2024-10-21' },
  };
  const QUOTED = `Bad ${KEYS[0]}, secret-of-a-header and secret-of-a-query for blue-team in 2024-10-21.`;
  const TOLD = 'Bad [redacted], [redacted] and [redacted] for blue-team in 2024-10-21.';
  const error = { error: { message: QUOTED, code: QUOTED, type: QUOTED, param: QUOTED } };
  const echo = { 'x-echo': QUOTED };

  it.each<[string, Reply]>([
    ['in a refusal', json(500, error, echo)],
    ['with a good status', json(200, error, echo)],
    ['beside an answer', json(200, { choices: [{ message: { content: TOLD } }] }, echo)],
    [
      'beside a stream',
      (response) => {
        response.writeHead(200, { 'content-type': TYPE, ...echo });
        response.end(`${ROLE_CHUNK}${CONTENT_CHUNK}data: ${JSON.stringify(error)}\n\n`);
      },
    ],
    ['as a first event', events(`data: ${JSON.stringify(error)}\n\n`)],
    ['within a stream', events(`${ROLE_CHUNK}${CONTENT_CHUNK}data: ${JSON.stringify(error)}\n\n`)],
  ])('and whatever else is a secret is not read by callers where it is quoted %s', async (_, reply) => {
    await using host = await ScriptedHost.start(reply);
    const client = bench.client([entry('host', host.url, { apiKey: KEYS[0], ...SECRETS })]);
    const { body, stream, headers } = await send(client, { body: STREAM });
    const fault = stream && (await new Promise<StreamFault>((failed) => stream.start(silently(failed))));
    const said = fault ? JSON.stringify(fault.reported) : (await body.bytes()).toString();
    expect(said).toContain(TOLD);
    for (const secret of [KEYS[0], 'secret-of']) expect(said + headers.join()).not.toContain(secret);
    expect(await bench.close()).not.toContain('secret-of');
  });

  it('is not read by callers either where an error that quotes it has a good status', async () => {
    await using host = await ScriptedHost.start(
      json(200, { error: { message: `Bad key ${KEYS[0]}!`, code: 500 } }),
    );
    const client = bench.client([entry('host', host.url, { apiKey: KEYS[0] })]);
    const { body } = await send(client);
    expect((await body.bytes()).toString()).toContain('Bad key [redacted]!');
  });
});
