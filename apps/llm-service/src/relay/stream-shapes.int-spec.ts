import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { postJson, waitFor } from '@morgan/testing';
import { events, json, written } from '../../fixture/host-answers.ts';
import { type Served, serveOver } from '../../fixture/served.ts';

type Answer = (response: ServerResponse, body: string) => unknown;

const CHAT = '/v1/chat/completions';
const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const DONE = 'data: [DONE]\n\n';

/** What the host was asked, path and body. */
const asked: [string | undefined, string][] = [];
let gateway: Served;
let origin: string;
let answer: Answer;

beforeAll(async () => {
  const file = { llmService: { upstream: { streams: { finishTimeoutMs: 50 } } } };
  gateway = await serveOver({ one: take }, { STREAM_KEEP_ALIVE_MS: '20' }, file);
  origin = gateway.url;
});
afterAll(() => gateway.close());
beforeEach(() => {
  asked.length = 0;
});

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Buffer.concat((await request.toArray()) as Buffer[]).toString();
  asked.push([request.url, body]);
  await answer(response, body);
}

function call(path: string, body: object | string): Promise<Response> {
  return postJson(origin + path, body);
}

/** What came, and whether it came to its end. */
async function read(response: Response): Promise<{ text: string; broken: boolean }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk as Uint8Array));
  } catch {
    return { text: Buffer.concat(chunks).toString(), broken: true };
  }
  return { text: Buffer.concat(chunks).toString(), broken: false };
}

/** The events of a stream, their names in front where they have some. */
const eventsIn = (text: string): [string | undefined, Record<string, unknown>][] =>
  text
    .split('\n\n')
    .filter((block) => block.includes('data: {'))
    .map((block) => [
      /^event: (.*)$/m.exec(block)?.[1],
      JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '') as Record<string, unknown>,
    ]);

const user = [{ role: 'user', content: 'Hi' }];
const TOOL = { id: 't1', type: 'function', function: { name: 'f', arguments: '{"id":2512292042121000001}' } };
const COMPLETION = {
  id: 'c1',
  object: 'chat.completion',
  created: 7,
  model: 'm',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Hi', tool_calls: [TOOL] },
      finish_reason: 'tool_calls',
    },
  ],
  usage: USAGE,
};

describe('a whole answer of a host that does not stream is told as a stream', () => {
  const head = { id: 'c1', object: 'chat.completion.chunk', created: 7, model: 'm' };
  const delta = { role: 'assistant', content: 'Hi', tool_calls: [{ index: 0, ...TOOL }] };
  const CHUNKS = [
    { ...head, choices: [{ index: 0, delta, finish_reason: null }] },
    { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
  ];

  it.each<[string, object, object[]]>([
    ['without counts', {}, CHUNKS],
    [
      'with counts, where they are asked for',
      { stream_options: { include_usage: true } },
      [...CHUNKS, { ...head, choices: [], usage: USAGE }],
    ],
  ])('of a chat %s', async (_, more, chunks) => {
    answer = json(COMPLETION);
    const response = await call(CHAT, { model: 'm', messages: user, stream: true, ...more });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(response.headers.get('content-length')).toBeNull();
    const { text, broken } = await read(response);
    expect([eventsIn(text).map(([, data]) => data), broken]).toEqual([chunks, false]);
    expect(text.endsWith(DONE)).toBe(true);
  });

  it('of a text completion', async () => {
    answer = json({ id: 'x', object: 'text_completion', choices: [{ text: 'Hi', index: 0 }], usage: USAGE });
    const { text } = await read(await call('/v1/completions', { model: 'm', prompt: 'Hi', stream: true }));
    const choices = [{ index: 0, text: 'Hi', finish_reason: 'stop' }];
    expect(text).toBe(written({ id: 'x', object: 'text_completion', choices }) + DONE);
  });

  it('of a response', async () => {
    const part = { type: 'output_text', text: 'Hi', annotations: [] };
    const item = { id: 'i1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
    const tool = { id: 'i2', type: 'function_call', name: 'f', arguments: '{}' };
    const whole = {
      id: 'resp_1',
      object: 'response',
      status: 'completed',
      output: [item, tool],
      usage: null,
    };
    answer = json(whole);
    const { text } = await read(await call('/v1/responses', { model: 'm', input: 'Hi', stream: true }));
    const told = eventsIn(text);
    expect(told.map(([name]) => name)).toEqual([
      'response.created',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(told.map(([, data]) => data['sequence_number'])).toEqual(told.map((_, place) => place));
    expect(told.every(([name, data]) => data['type'] === name)).toBe(true);
    expect(told.at(-1)?.[1]).toMatchObject({ response: whole });
    expect(told[3]?.[1]).toMatchObject({ delta: 'Hi', item_id: 'i1', output_index: 0, content_index: 0 });
  });

  const MESSAGE_EVENTS = [
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ];

  it('of a message', async () => {
    const content = [
      { type: 'text', text: 'Hi' },
      { type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } },
    ];
    answer = json({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content,
      stop_reason: 'tool_use',
      stop_details: null,
      container: { id: 'container_1' },
      usage: {},
    });
    const { text } = await read(
      await call('/v1/messages', { model: 'm', max_tokens: 9, messages: user, stream: true }),
    );
    const told = eventsIn(text);
    expect(told.map(([name]) => name)).toEqual(MESSAGE_EVENTS);
    expect(told[0]?.[1]).toMatchObject({ message: { id: 'msg_1', content: [], stop_reason: null } });
    expect(told[5]?.[1]).toMatchObject({ index: 1, delta: { partial_json: '{"a":1}' } });
    expect(told[7]?.[1]).toMatchObject({
      delta: { stop_reason: 'tool_use', stop_details: null, container: { id: 'container_1' } },
    });
  });

  it('of a chat, to a caller of messages', async () => {
    answer = (response, body) =>
      asked.at(-1)?.[0] === '/v1/messages'
        ? json({ detail: 'Not Found' }, 404)(response, body)
        : json(COMPLETION)(response, body);
    const ask = { model: 'm', max_tokens: 9, messages: user, stream: true };
    const { text } = await read(await call('/v1/messages', ask));
    const told = eventsIn(text);
    expect(told.map(([name]) => name)).toEqual(MESSAGE_EVENTS);
    expect(text).toContain('2512292042121000001');
    expect(told[7]?.[1]).toMatchObject({ usage: { input_tokens: 3, output_tokens: 2 } });
  });

  it('but for one that is not over', async () => {
    const queued = { id: 'resp_2', object: 'response', status: 'queued', output: [] };
    answer = json(queued);
    const response = await call('/v1/responses', { model: 'm', input: 'Hi', stream: true, background: true });
    expect([response.headers.get('content-type'), await response.json()]).toEqual([
      'application/json',
      queued,
    ]);
  });
});

describe('token counts of a stream', () => {
  const chunk = (delta: object, finish: string | null = null) => ({
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const COUNTED = [chunk({ content: 'Hi' }), chunk({}, 'stop'), { choices: [], usage: USAGE }, DONE];

  it.each<[string, string, object, boolean]>([
    ['nothing is said of them', '', { include_usage: true }, false],
    ['null is said', ',"stream_options":null', { include_usage: true }, false],
    [
      'nothing is said of them beside others',
      ',"stream_options": {"x":1}',
      { x: 1, include_usage: true },
      false,
    ],
    ['they are not wanted', ',"stream_options":{"include_usage":false}', { include_usage: true }, false],
    ['they are wanted', ',"stream_options":{"include_usage":true}', { include_usage: true }, true],
  ])('are asked for where %s, and told to whom they were', async (_, said, expected, isTold) => {
    answer = events(...COUNTED);
    const body = `{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true${said}}`;
    const { text } = await read(await call(CHAT, body));
    const sent = asked[0]?.[1] ?? '';
    expect(sent.match(/"stream_options"/g)).toHaveLength(1);
    expect((JSON.parse(sent) as { stream_options: object }).stream_options).toEqual(expected);
    expect(text.includes('"prompt_tokens"')).toBe(isTold);
  });

  it('leave no trace in the events of a caller that did not ask for them', async () => {
    const asEver = [chunk({ content: 'Hi' }), chunk({}, 'stop')];
    const asAsked = asEver.map((event) => ({ ...event, usage: null }));
    answer = events(...asAsked, { choices: [], usage: USAGE }, DONE);
    const body = { model: 'm', messages: user, stream: true };
    expect((await read(await call(CHAT, body))).text).toBe([...asEver, DONE].map(written).join(''));
    const options = { stream_options: { include_usage: true } };
    const { text } = await read(await call(CHAT, { ...body, ...options }));
    expect(text).toBe([...asAsked, { choices: [], usage: USAGE }, DONE].map(written).join(''));
  });

  it.each([CHAT, '/v1/completions'])('have a list of choices, which clients look for: %s', async (path) => {
    const counted = { id: 'c1', usage: USAGE };
    for (const event of [counted, { ...counted, choices: null }]) {
      answer = events({ choices: [{ index: 0, text: 'Hi', finish_reason: 'stop' }] }, event, DONE);
      const options = { model: 'm', stream: true, stream_options: { include_usage: true } };
      const { text } = await read(await call(path, { ...options, messages: user, prompt: 'Hi' }));
      expect(JSON.parse(text.match(/^data: (.*"id".*)$/m)?.[1] ?? '')).toEqual({ ...counted, choices: [] });
    }
  });

  it('are not asked for beside what is no option, which is for the host to refuse', async () => {
    answer = json({ error: { message: 'stream_options must be an object', code: 400 } }, 400);
    const body = { model: 'm', messages: user, stream: true, stream_options: 'all' };
    expect((await call(CHAT, body)).status).toBe(400);
    expect(JSON.parse(asked[0]?.[1] ?? '')).toEqual(body);
    expect(asked).toHaveLength(1);
  });
});

describe('a stream that is no chat', () => {
  const image = (type: string) => ({ type: `image_generation.${type}`, b64_json: 'AA' });
  const [PART, LAST] = [image('partial_image'), image('completed')];
  const ask = () => call('/v1/images/generations', { model: 'm', prompt: 'x', stream: true });

  it('is kept alive, and ends as it ends', async () => {
    let finish: () => void = () => undefined;
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(written(PART));
      finish = () => void (response.writableEnded || response.end(written(LAST)));
    };
    const { body } = await ask();
    let text = '';
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes(': keep-alive\n\n')) finish();
    }
    expect(text.replaceAll(': keep-alive\n\n', '')).toBe(written(PART) + written(LAST));
  });

  it.each<[string, Answer, string]>([
    [
      'the words of its host',
      events(PART, 'event: error\ndata: {"type":"error","error":{"message":"Blocked by moderation."}}\n\n'),
      'Blocked by moderation.',
    ],
    [
      'what went wrong',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(written(PART), () => response.destroy());
      },
      'The host broke off in the middle of its answer.',
    ],
    ['the part that is missing', events(PART), 'The stream ended before its answer did.'],
  ])('breaks with %s where it breaks', async (_, broken, message) => {
    answer = broken;
    const seen = await read(await ask());
    const [first, last] = eventsIn(seen.text).map(([, data]) => data);
    expect([first, seen.broken]).toEqual([PART, true]);
    expect(last).toEqual({ error: expect.objectContaining({ message, code: 'stream_interrupted' }) });
  });

  it('is what a host keeps, an error in it included', async () => {
    const [created, failed] = ['created', 'failed'].map((status) => ({
      type: `response.${status}`,
      response: {
        id: 'resp_1',
        status,
        error: status === 'failed' ? { code: 'server_error', message: 'x' } : null,
      },
    }));
    answer = events(created ?? '', failed ?? '');
    const seen = await read(await fetch(`${origin}/v1/responses/resp_1?stream=true&starting_after=0`));
    expect(seen).toEqual({ text: written(created ?? '') + written(failed ?? ''), broken: false });
    expect(asked[0]?.[0]).toBe('/v1/responses/resp_1?stream=true&starting_after=0');
  });
});

it('the tokens of a response that broke off are counted by its events, and not again where it is fetched', async () => {
  const kept = { id: 'resp_broken', object: 'response', usage: { input_tokens: 1_234, output_tokens: 1 } };
  const counted = async () => {
    const metrics = await (await fetch(`${origin}/metrics`)).text();
    const each = metrics.matchAll(/^morgan_llm_tokens_total\{.*kind="(?:in|out)put".*\} (\d+)$/gm);
    return [...each].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const begun = { type: 'response.created', response: { id: kept.id, status: 'in_progress' } };
  answer = events(begun, { type: 'response.output_text.delta', delta: 'Hi', output_index: 0 });
  const before = await counted();
  expect(await read(await call('/v1/responses', { model: 'm', input: 'Hi', stream: true }))).toMatchObject({
    broken: true,
  });
  await waitFor(async () => (await counted()) === before + 1, { what: 'the count of one event' });
  answer = json(kept);
  await (await fetch(`${origin}/v1/responses/${kept.id}`)).text();
  // Counted before its last byte, so that there is nothing to wait for.
  expect(await counted()).toBe(before + 1);
});

it('what a host keeps is broken, as a stream, where it ends before its end', async () => {
  const delta = (place: number) => ({
    type: 'response.output_text.delta',
    delta: 'Hi',
    sequence_number: place,
  });
  const ends = (status: string) => ({
    type: `response.${status}`,
    response: { id: 'resp_1' },
    sequence_number: 9,
  });
  const ask = async (...each: object[]) => {
    answer = events(...each);
    return read(await fetch(`${origin}/v1/responses/resp_1?stream=true&starting_after=6`));
  };
  const { text, broken } = await ask(delta(7), delta(8));
  expect([broken, eventsIn(text).at(-1)]).toEqual([
    true,
    ['error', expect.objectContaining({ type: 'error', code: 'stream_interrupted', sequence_number: 8 })],
  ]);
  for (const status of ['completed', 'incomplete', 'failed', 'cancelled'])
    expect(await ask(delta(8), ends(status))).toMatchObject({ broken: false });
});

describe('a message as a chat completion', () => {
  const refused = { error: { message: 'Unknown field: stream_options', code: 400 } };
  const chunk = (delta: object, finish: string | null = null) => ({
    id: 'c1',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });

  it('is asked for without counts of a host that refuses to be asked', async () => {
    const stream = events(chunk({ content: 'Hi' }), chunk({}, 'stop'), DONE);
    answer = (response, body) => {
      if (asked.at(-1)?.[0] === '/v1/messages') return json({ detail: 'Not Found' }, 404)(response, body);
      return body.includes('stream_options') ? json(refused, 400)(response, body) : stream(response, body);
    };
    const ask = { model: 'no-counts', max_tokens: 9, messages: user, stream: true };
    const { text, broken } = await read(await call('/v1/messages', ask));
    expect([eventsIn(text).at(-1)?.[0], broken]).toEqual(['message_stop', false]);
  });
});

describe('a message for a model that knows no max_tokens', () => {
  const UNSUPPORTED = {
    error: {
      message:
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      type: 'invalid_request_error',
      code: 'unsupported_parameter',
    },
  };
  const ask = (model: string, stream: boolean) =>
    call('/v1/messages', { model, max_tokens: 9, messages: user, stream });

  it.each([false, true])(
    'is asked for once more, and rightly from then on, streamed: %s',
    async (isStream) => {
      answer = (response, body) => {
        if (asked.at(-1)?.[0] === '/v1/messages') return json({ detail: 'Not Found' }, 404)(response, body);
        return body.includes('"max_tokens"')
          ? json(UNSUPPORTED, 400)(response, body)
          : json(COMPLETION)(response, body);
      };
      const model = `gpt-5-${isStream}`;
      for (let count = 0; count < 2; count += 1) {
        const response = await ask(model, isStream);
        expect([response.status, (await response.text()).includes('"stop_reason":"tool_use"')]).toEqual([
          200,
          true,
        ]);
      }
      const chats = asked.filter(([path]) => path === CHAT).map(([, body]) => JSON.parse(body) as object);
      expect(chats.map((chat) => 'max_completion_tokens' in chat)).toEqual([false, true, true]);
    },
  );
});

it.each([
  ['DeepSeek', 'Invalid max_tokens value, the valid range of max_tokens is [1, 8192]'],
  ['OpenAI', 'max_tokens is too large: 32000. This model supports at most 8192 completion tokens.'],
  ['Groq', '`max_tokens` must be less than or equal to `8192`, the maximum value for this model'],
  ['Anthropic', 'max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for m'],
])(
  'a message asks for as long an answer as its model has at most, as refused by %s',
  async (model, message) => {
    answer = (response, body) => {
      if (asked.at(-1)?.[0] === '/v1/messages') return json({ detail: 'Not Found' }, 404)(response, body);
      const isTooLong = (JSON.parse(body) as { max_tokens: number }).max_tokens > 8192;
      return (isTooLong ? json({ error: { message } }, 400) : json(COMPLETION))(response, body);
    };
    for (const length of [32_000, 32_000, 100])
      expect((await call('/v1/messages', { model, messages: user, max_tokens: length })).status).toBe(200);
    const chats = asked.filter(([path]) => path === CHAT).map(([, body]) => JSON.parse(body) as object);
    expect(chats.map((chat) => (chat as { max_tokens?: number }).max_tokens)).toEqual([
      32_000, 8192, 8192, 100,
    ]);
  },
);

it('a message that is as long as its model has them is cut, also within a call', async () => {
  const called = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"a":' } };
  const cut = {
    choices: [{ index: 0, message: { tool_calls: [called] }, finish_reason: 'tool_calls' }],
    usage: { prompt_tokens: 1, completion_tokens: 64 },
  };
  answer = (response, body) => {
    if (asked.at(-1)?.[0] === '/v1/messages') return json({ detail: 'Not Found' }, 404)(response, body);
    const refused = json({ error: { message: 'the valid range of max_tokens is [1, 64]' } }, 400);
    return (body.includes('"max_tokens":100') ? refused : json(cut))(response, body);
  };
  const response = await call('/v1/messages', { model: 'short', messages: user, max_tokens: 100 });
  expect(await response.json()).toMatchObject({ content: [], stop_reason: 'max_tokens' });
});

describe('a message of an effort that its model does not know', () => {
  it.each([
    [
      'SGLang',
      "1 validation error:\n  {'type': 'literal_error', 'loc': ('body', 'reasoning_effort'), 'msg': \"Input should be 'low', 'medium' or 'high'\", 'input': 'xhigh'}",
    ],
    [
      'OpenAI',
      "Unsupported value: 'reasoning_effort' does not support 'xhigh' with this model. Supported values are: 'low', 'medium', and 'high'.",
    ],
  ])('is asked with the most that it knows, as refused by %s', async (model, message) => {
    answer = (response, body) => {
      if (asked.at(-1)?.[0] === '/v1/messages') return json({ detail: 'Not Found' }, 404)(response, body);
      const refused = json({ error: { message, type: 'x' } }, 400);
      return (body.includes('xhigh') ? refused : json(COMPLETION))(response, body);
    };
    for (let count = 0; count < 2; count += 1) {
      const effort = { output_config: { effort: 'xhigh' }, max_tokens: 9 };
      expect((await call('/v1/messages', { model, messages: user, ...effort })).status).toBe(200);
    }
    const chats = asked.filter(([path]) => path === CHAT).map(([, body]) => JSON.parse(body) as object);
    const efforts = chats.map((chat) => (chat as { reasoning_effort?: string }).reasoning_effort);
    expect(efforts).toEqual(['xhigh', 'high', 'high']);
  });
});

describe('a field that a host may read in another way', () => {
  it.each([
    ['model', '"model":"a","model":"b"'],
    ['model', '"model":"a","mod\\u0065l":"b"'],
    ['model', '"model":"a","Model":"b"'],
    ['model', '"MODEL":"a"'],
    ['stream', '"model":"a","stream":false,"Stream":true'],
    ['messages', '"model":"a","messages":[]'],
    ['n', '"model":"a","n":1,"n":5'],
  ])('is refused by its name, and no host is asked: %s in %s', async (param, fields) => {
    const response = await call(CHAT, `{${fields},"messages":[{"role":"user","content":"Hi"}]}`);
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: expect.objectContaining({ code: 'invalid_value', param }) },
    ]);
    expect(asked).toEqual([]);
  });
});
