import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Handler, postJson } from '@morgan/testing';
import { events, json, written } from '../../fixture/host-answers.ts';
import { type Served, serveOver } from '../../fixture/served.ts';

type Json = Record<string, unknown>;
type Answer = (response: ServerResponse, body: Json) => unknown;

const CHAT = '/v1/chat/completions';
const COUNT = '/v1/messages/count_tokens';
const DONE = 'data: [DONE]\n\n';

/** What the hosts were asked: host, path, body. */
const asked: [string, string | undefined, Json][] = [];
let gateway: Served;
let origin: string;
/** What a chat completion is answered with; `one` has nothing else, and `native` answers everything with it. */
let answer: Answer;

beforeAll(async () => {
  const hosts: Record<string, Handler> = {
    one: (...call) => take('one', ...call),
    native: (...call) => take('native', ...call),
  };
  const routes = [
    { model: 'native', tiers: [[{ host: 'native' }]] },
    { model: 'short', tiers: [[{ host: 'one', capabilities: { contextLength: 100 } }]] },
    { model: 'vllm', tiers: [[{ host: 'one', capabilities: { prefixContinuation: 'vllm' } }]] },
    { model: '*', tiers: [[{ host: 'one' }]] },
  ];
  const env = { STREAM_KEEP_ALIVE_MS: '20' };
  gateway = await serveOver(hosts, env, { llmService: { upstream: { routes } } });
  origin = gateway.url;
});
afterAll(() => gateway.close());
beforeEach(() => {
  asked.length = 0;
  answer = json(completion({ content: 'Hi' }));
});

async function take(host: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const bytes = Buffer.concat((await request.toArray()) as Buffer[]);
  if (request.method === 'GET') return void json({ object: 'list', data: [] })(response, {});
  const body = JSON.parse(bytes.toString()) as Json;
  asked.push([host, request.url, body]);
  const isUnknown = host === 'one' && request.url !== CHAT;
  await (isUnknown ? json({ detail: 'Not Found' }, 404) : answer)(response, body);
}

const refusal = (message: unknown, status = 400) => json({ error: { message, type: 'x' } }, status);

const completion = (message: object, rest: object = {}, finish = 'stop') => ({
  id: 'c1',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
  ...rest,
});
const chunk = (delta: object, finish: string | null = null) => ({
  id: 'c1',
  choices: [{ index: 0, delta, finish_reason: finish }],
});

function call(body: object, path = '/v1/messages?beta=true'): Promise<Response> {
  return postJson(
    origin + path,
    { model: 'm', max_tokens: 9, messages: HELLO, ...body },
    { 'anthropic-version': '2023-06-01' },
  );
}

const HELLO = [{ role: 'user', content: 'Hi' }];
const TEXT = [{ type: 'text', text: '<system-reminder>' }];
const chats = () => asked.filter(([, path]) => path === CHAT).map(([, , body]) => body);
/** How often and with what status, and what was asked last. */
async function askTwice(body: object): Promise<{ statuses: number[]; seen: Json[] }> {
  const statuses: number[] = [];
  for (let count = 0; count < 2; count += 1) {
    const response = await call(body);
    statuses.push(response.status);
    await response.text();
  }
  return { statuses, seen: chats() };
}

describe('what Claude Code sends', () => {
  const REMINDER = { role: 'system', content: [{ type: 'text', text: 'Agents: none.' }] };
  const SYSTEM = [
    { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1.1; cch=eb6c6;' },
    { type: 'text', text: 'You are a helper.', cache_control: { type: 'ephemeral' } },
  ];
  const asIs = [
    { role: 'system', content: 'You are a helper.' },
    ...HELLO,
    { role: 'system', content: 'Agents: none.' },
  ];
  const folded = [
    asIs[0],
    { role: 'user', content: 'Hi\n<system-reminder>\nAgents: none.\n</system-reminder>' },
  ];

  it('has instructions in the middle of the conversation, and no line about itself', async () => {
    const response = await call({ system: SYSTEM, messages: [...HELLO, REMINDER] });
    expect(response.status).toBe(200);
    expect(chats()[0]).toMatchObject({ messages: asIs });
  });

  it('has hints for Anthropic, and tools that it has searched for', async () => {
    const tool = { name: 'f', input_schema: { type: 'object', properties: {} } };
    const found = {
      type: 'tool_result',
      tool_use_id: 't1',
      content: [{ type: 'tool_reference', tool_name: 'f' }],
    };
    const response = await call({
      messages: [
        ...HELLO,
        { role: 'assistant', content: [{ type: 'text', text: 'Let me see.' }] },
        { role: 'user', content: [found] },
      ],
      tools: [{ ...tool, defer_loading: true, eager_input_streaming: true }],
      thinking: { type: 'adaptive', budget_tokens: 0 },
      diagnostics: { previous_message_id: 'msg_1' },
    });
    expect(response.status).toBe(200);
    expect(chats()[0]).toEqual({
      model: 'm',
      max_tokens: 9,
      messages: [
        ...HELLO,
        { role: 'assistant', content: 'Let me see.' },
        { role: 'tool', tool_call_id: 't1', content: 'The tool f can be called.' },
      ],
      tools: [{ type: 'function', function: { name: 'f', parameters: tool.input_schema } }],
    });
  });

  it.each<[string, string, number]>([
    ['a template', 'System message must be at the beginning.', 400],
    ['a template, as a fault', 'system message must be at the beginning', 500],
    ['Mistral', "Unexpected role 'system' after role 'user'", 400],
    ['Mistral, at the end', 'Expected last role User or Tool for serving but got system', 400],
    ['Gemma', 'Conversation roles must alternate user/assistant/user/assistant/...', 400],
  ])('has them told by the user for a model that takes them first only: %s', async (_, words, status) => {
    answer = (response, body) => {
      const isLate = (body['messages'] as Json[]).slice(1).some(({ role }) => role === 'system');
      return (isLate ? refusal(words, status) : json(completion({ content: 'Hi' })))(response, body);
    };
    const model = `first-${words.length}-${status}`;
    const { statuses, seen } = await askTwice({ model, system: SYSTEM, messages: [...HELLO, REMINDER] });
    expect(statuses).toEqual([200, 200]);
    expect(seen.at(-1)).toMatchObject({ messages: folded });
    expect(seen.filter(({ messages }) => (messages as Json[]).length === 2)).toHaveLength(2);
  });
});

it.each<[string, string, RegExp, string, unknown]>([
  ['Mistral', "Unexpected role 'user' after role 'tool'", /1"\},\{"role":"user/, 'tool assistant user', null],
  ['a template', 'Conversation roles must alternate', /1"\},\{"role":"user/, 'tool assistant user', null],
  ['Google', 'Expected string or list of content parts, got: null', /"content":null/, 'tool user', ''],
  ['Python', 'messages.1.content: Input should be a valid string', /"content":null/, 'tool user', ''],
])('calls and results of tools are told as %s takes them', async (host, words, refused, roles, content) => {
  const isRefused = (body: Json) => refused.test(JSON.stringify(body));
  answer = (response, body) =>
    (isRefused(body) ? refusal(words) : json(completion({ content: 'Hi' })))(response, body);
  const messages = [
    { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'f', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: '1' }, ...TEXT] },
  ];
  const { statuses, seen } = await askTwice({ model: `told-${host}`, messages: [...HELLO, ...messages] });
  expect([statuses, seen.map(isRefused)]).toEqual([
    [200, 200],
    [true, false, false],
  ]);
  const told = seen.at(-1)?.['messages'] as Json[];
  expect(told.map(({ role }) => role).join(' ')).toBe(`user assistant ${roles}`);
  expect(told[1]).toMatchObject({ content });
});

describe('a field that a model refuses and that says nothing of what is asked', () => {
  const thought = {
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'Hm.', signature: '' },
      { type: 'text', text: 'Yes?' },
    ],
  };
  const body = {
    messages: [...HELLO, thought, ...HELLO],
    metadata: { user_id: 'u' },
    thinking: { type: 'enabled', budget_tokens: 1024 },
  };
  const extra = (...loc: unknown[]) => ({
    object: 'error',
    message: { detail: [{ type: 'extra_forbidden', loc, msg: 'Extra inputs are not permitted' }] },
    type: 'invalid_request_error',
    code: null,
  });

  it.each<[string, string, Answer]>([
    [
      'reasoning_content',
      'Mistral',
      json(extra('body', 'messages', 1, 'assistant', 'reasoning_content'), 422),
    ],
    [
      'reasoning_content',
      'Cerebras',
      refusal("messages.1.assistant.reasoning_content: property 'reasoning_content' is unsupported"),
    ],
    ['user', 'Mistral', json(extra('body', 'user'), 422)],
    ['reasoning_effort', 'OpenAI', refusal('Unrecognized request argument supplied: reasoning_effort')],
    [
      'reasoning_effort',
      'OpenAI, beside tools',
      refusal(
        'Function tools with reasoning_effort are not supported for m in /v1/chat/completions. Please use /v1/responses instead.',
      ),
    ],
    ['reasoning_effort', 'Ollama', refusal('"qwen2.5-coder:7b" does not support thinking')],
    ['reasoning_effort', 'Groq', refusal('`reasoning_effort` must be one of `none` or `default`')],
    [
      'reasoning_effort',
      'Mistral, whose efforts are others',
      json({ detail: [{ loc: ['body', 'reasoning_effort'], msg: "Input should be 'none' or 'high'" }] }, 422),
    ],
    [
      'reasoning_effort',
      'OpenAI, whose model has one',
      refusal(
        "Unsupported value: 'reasoning_effort' does not support 'low' with this model. Supported values are: 'high'.",
      ),
    ],
  ])('is left out from then on: %s, as refused by %s', async (field, host, refused) => {
    answer = (response, asks) => {
      const has = JSON.stringify(asks).includes(`"${field}":`);
      return (has ? refused : json(completion({ content: 'Hi' })))(response, asks);
    };
    const { statuses, seen } = await askTwice({ ...body, model: `${field}-${host}` });
    expect(statuses).toEqual([200, 200]);
    expect(seen.map((asks) => JSON.stringify(asks).includes(`"${field}":`))).toEqual([true, false, false]);
    const all = ['"reasoning_content":', '"user":', '"reasoning_effort":'];
    const left = all.filter((name) => JSON.stringify(seen.at(-1)).includes(name));
    expect(left).toEqual(all.filter((name) => name !== `"${field}":`));
  });

  it.each([
    'The `reasoning_content` in the thinking mode must be passed back to the API.',
    "Unexpected role 'user' after role 'tool'",
  ])('is not left out for another reason: %s', async (message) => {
    answer = refusal(message);
    const { statuses, seen } = await askTwice({ ...body, model: 'other' });
    expect([statuses, seen.length, new Set(seen.map((asks) => JSON.stringify(asks))).size]).toEqual([
      [400, 400],
      2,
      1,
    ]);
  });
});

describe('a call of a tool that its host recognises by a signature', () => {
  const signature = 'CpcHAdHtim9+ab/c==';

  it.each([
    ['google', false],
    ['google', true],
    ['vertex', false],
    ['vertex', true],
  ])('has it back with the next turn: of %s, streamed: %s', async (name, stream) => {
    const called = {
      id: 'function-call-1',
      type: 'function',
      function: { name: 'f', arguments: '{"a":1}' },
      extra_content: { [name]: { thought_signature: signature } },
    };
    answer = stream
      ? events(chunk({ tool_calls: [{ index: 0, ...called }] }), chunk({}, 'tool_calls'), DONE)
      : json(completion({ tool_calls: [called] }, {}, 'tool_calls'));
    const text = await (await call({ stream })).text();
    const [, id = ''] = /"id":"(function-call-1[^"]*)"/.exec(text) ?? [];
    expect(id).toMatch(/^[A-Za-z0-9_-]+$/);
    answer = json(completion({ content: 'Hi' }));
    await call({
      messages: [
        ...HELLO,
        { role: 'assistant', content: [{ type: 'tool_use', id, name: 'f', input: { a: 1 } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: '2' }] },
      ],
    });
    expect(chats().at(-1)).toMatchObject({
      messages: [
        ...HELLO,
        { role: 'assistant', content: null, tool_calls: [called] },
        { role: 'tool', tool_call_id: 'function-call-1', content: '2' },
      ],
    });
  });

  it('has none where it had none', async () => {
    const content = [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }];
    await call({ messages: [...HELLO, { role: 'assistant', content }] });
    const [{ messages = [] } = {}] = chats();
    expect((messages as Json[]).at(-1)).toEqual({
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
    });
  });
});

describe('the tokens of a message', () => {
  it('are estimated where no host of its model counts them, which is asked once', async () => {
    const body = { system: 's'.repeat(4_000), tools: [{ name: 'f', input_schema: {} }] };
    for (let count = 0; count < 2; count += 1) {
      const response = await call(body, `${COUNT}?beta=true`);
      expect([response.status, response.headers.get('x-morgan-host')]).toEqual([200, 'gateway']);
      const { input_tokens: tokens } = (await response.json()) as { input_tokens: number };
      expect(tokens).toBeGreaterThan(1_000);
      expect(tokens).toBeLessThan(1_100);
    }
    expect(asked.length).toBeLessThan(2);
  });

  it('are not estimated by the bytes of images', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: 'A'.repeat(400_000) };
    const messages = [{ role: 'user', content: [{ type: 'image', source }] }];
    const { input_tokens: tokens } = (await (await call({ messages }, COUNT)).json()) as Record<
      string,
      number
    >;
    expect(tokens).toBeGreaterThan(1_600);
    expect(tokens).toBeLessThan(1_700);
  });

  it('are counted by a host that does', async () => {
    answer = json({ input_tokens: 7 });
    const response = await call({ model: 'native' }, COUNT);
    expect([await response.json(), response.headers.get('x-morgan-host')]).toEqual([
      { input_tokens: 7 },
      'native',
    ]);
  });

  it('are none without messages', async () => {
    const response = await call({ messages: 'Hi' }, COUNT);
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        type: 'error',
        error: { type: 'invalid_request_error', message: expect.stringContaining('messages') },
      },
    ]);
  });
});

describe('a conversation that is too long', () => {
  const words = "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.";

  it.each<[string, Answer, object]>([
    ['of the host', refusal(words), {}],
    [
      'of the gateway',
      json({}),
      { model: 'short', messages: [{ role: 'user', content: 'x'.repeat(9_000) }] },
    ],
  ])('is refused in the words by which clients know it: %s', async (_, refused, body) => {
    answer = refused;
    const response = await call(body);
    const { error } = (await response.json()) as { error: Json };
    expect([response.status, error]).toEqual([
      400,
      { type: 'invalid_request_error', message: expect.stringMatching(/^Prompt is too long: .*context/) },
    ]);
  });

  it.each([
    "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum context length is 20000 tokens and your request has 16614 input tokens (64000 > 20000 - 16614).",
    "This model's maximum context length is 20000 tokens. However, you requested 80614 tokens (16614 in the messages, 64000 in the completion).",
    "This model's maximum context length is 20000 tokens. However, you requested 64000 output tokens and your prompt contains at least 16614 input tokens, for a total of at least 80614 tokens.",
    "Requested token count exceeds the model's maximum context length of 20000 tokens. You requested a total of 80614 tokens: 16614 tokens from the input messages and 64000 tokens for the completion.",
  ])(
    'is none where a shorter answer would fit, which is said so that clients ask for one: %s',
    async (said) => {
      answer = refusal(said);
      const { error } = (await (await call({})).json()) as { error: { message: string } };
      expect(error.message).toContain(
        'input length and `max_tokens` exceed context limit: 16614 + 64000 > 20000',
      );
      expect(error.message).toContain(said);
    },
  );

  it('has the words of a host that knows them as they are', async () => {
    const own = { type: 'error', error: { type: 'invalid_request_error', message: words } };
    answer = json(own, 400);
    expect(await (await call({ model: 'native' })).json()).toEqual(own);
  });
});

describe('an answer', () => {
  it('keeps its stream open as Anthropic does', async () => {
    let finish: () => void = () => undefined;
    answer = (response) => {
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write(written(chunk({ content: 'Hi' })));
      finish = () => void (response.writableEnded || response.end(written(chunk({}, 'stop')) + DONE));
    };
    const { body } = await call({ stream: true });
    let text = '';
    for await (const bytes of body ?? []) {
      text += Buffer.from(bytes).toString();
      if (text.includes('event: ping\ndata: {"type":"ping"}\n\n')) finish();
    }
    expect(text).toMatch(/message_stop"}\n\n$/);
    expect(text).not.toContain(': keep-alive');
  });

  const call1 = (text: string) => ({ id: 't1', type: 'function', function: { name: 'f', arguments: text } });

  it('that broke off in a call of a tool says so, and has no half of one', async () => {
    answer = json(completion({ content: 'Let me see.', tool_calls: [call1('{"a":"b')] }, {}, 'length'));
    expect(await (await call({})).json()).toMatchObject({
      content: [{ type: 'text', text: 'Let me see.' }],
      stop_reason: 'max_tokens',
    });
  });

  it('has a call with no arguments, however its host says that', async () => {
    answer = json(completion({ tool_calls: [call1('null')] }, {}, 'tool_calls'));
    const { content } = (await (await call({})).json()) as { content: Json[] };
    expect(content).toEqual([{ type: 'tool_use', id: 't1', name: 'f', input: {} }]);
  });

  it('has the tokens of its thoughts, also of a host that counts them in the total only', async () => {
    const usage = { prompt_tokens: 32, completion_tokens: 9, total_tokens: 135, cached_tokens: 12 };
    answer = json(completion({ content: 'Hi' }, { usage }));
    expect(await (await call({})).json()).toMatchObject({
      usage: { input_tokens: 20, output_tokens: 103, cache_read_input_tokens: 12 },
    });
  });

  it('counts the prompt that its stream began with, though the end says none', async () => {
    const event = (type: string, rest: object) => `event: ${type}\n${written({ type, ...rest })}`;
    answer = events(
      event('message_start', { message: { id: 'a', usage: { input_tokens: 4_321, output_tokens: 1 } } }),
      event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hi' } }),
      event('content_block_stop', { index: 0 }),
      event('message_delta', {
        delta: { stop_reason: 'end_turn' },
        usage: { input_tokens: 0, output_tokens: 5 },
      }),
      event('message_stop', {}),
    );
    await (await call({ model: 'native', stream: true })).text();
    const metrics = await (await fetch(`${origin}/metrics`)).text();
    expect(metrics).toMatch(/^morgan_llm_tokens_total\{.*host="native".*kind="input".*\} 4321$/m);
  });
});

it('calls go on under ids that OpenAI takes, where it is asked for the rest of a conversation', async () => {
  const id = `chatcmpl-tool-${'0'.repeat(32)}`;
  const content = [{ type: 'tool_use', id, name: 'f', input: {} }];
  const results = [{ type: 'tool_result', tool_use_id: id, content: '2' }];
  answer = (response, body) => {
    const isLong = JSON.stringify(body).includes(id);
    const words =
      "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40, but got a string with length 46 instead.";
    return (isLong ? refusal(words) : json(completion({ content: 'Hi' })))(response, body);
  };
  const messages = [...HELLO, { role: 'assistant', content }, { role: 'user', content: results }];
  const { statuses, seen } = await askTwice({ model: 'short-ids', messages });
  expect([statuses, seen.length]).toEqual([[200, 200], 3]);
  const [, called, answered] = seen.at(-1)?.['messages'] as Json[];
  const [{ id: sent = '' } = {}] = called?.['tool_calls'] as { id: string }[];
  expect([sent.length, answered?.['tool_call_id']]).toEqual([40, sent]);
});

it.each([
  'thinking is enabled but reasoning_content is missing in assistant tool call message at index 1',
  'Missing `reasoning_content` field in the assistant message at message index 1.',
  'The `reasoning_content` in the thinking mode must be passed back to the API.',
])('every answer has a thought for a model that wants one, and wants no empty one: %s', async (words) => {
  answer = (response, body) => {
    const answers = (body['messages'] as Json[]).filter(({ role }) => role === 'assistant');
    const isWhole = answers.every(({ reasoning_content: thought }) => thought);
    return (isWhole ? json(completion({ content: 'Hi' })) : refusal(words))(response, body);
  };
  const said = (...content: Json[]) => ({ role: 'assistant', content });
  const called = { type: 'tool_use', id: 't', name: 'f', input: {} };
  const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: '2' }] };
  const thought = { type: 'thinking', thinking: 'Hm.', signature: '' };
  const messages = [...HELLO, said(called), result, said(thought, called), result];
  const { statuses, seen } = await askTwice({ model: `thoughts-${words.length}`, messages });
  expect([statuses, seen.length]).toEqual([[200, 200], 3]);
  const sent = (seen.at(-1)?.['messages'] as Json[]).map(({ reasoning_content: each }) => each);
  expect(sent).toEqual([undefined, ' ', undefined, 'Hm.', undefined]);
});

it('the beginning of an answer goes to hosts as they go on with one', async () => {
  const messages = [...HELLO, { role: 'assistant', content: '{"a":' }];
  await call({ model: 'vllm', messages });
  await call({ messages });
  const [known, other] = chats();
  expect(known).toMatchObject({ messages, continue_final_message: true, add_generation_prompt: false });
  expect(other).toEqual({ model: 'm', max_tokens: 9, messages });
});

it('a document goes to hosts that take files as one', async () => {
  const source = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' };
  const document = { type: 'document', source, title: 'Plan', cache_control: { type: 'ephemeral' } };
  const result = { type: 'tool_result', tool_use_id: 't1', content: [document] };
  await call({ messages: [{ role: 'user', content: [result, { type: 'text', text: 'And?' }] }] });
  const file = { filename: 'Plan.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' };
  expect(chats()[0]).toMatchObject({
    messages: [
      { role: 'tool', tool_call_id: 't1', content: '(The files of this result follow.)' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Files of the result of t1:' },
          { type: 'file', file },
          { type: 'text', text: 'And?' },
        ],
      },
    ],
  });
});
