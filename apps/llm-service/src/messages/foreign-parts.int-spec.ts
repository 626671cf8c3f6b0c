import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Handler, postJson } from '@morgan/testing';
import { json } from '../../fixture/host-answers.ts';
import { type Served, serveOver } from '../../fixture/served.ts';

type Json = Record<string, unknown>;

/** May have made what the other one refuses, and is down; of the model `chat` it has chat completions. */
const answerDown: Handler = async (request, response) => {
  const sent = await textOf(request);
  if (request.method === 'GET')
    return json({ object: 'list', data: [{ id: 'both' }, { id: 'chat' }] })(response);
  if (request.url === '/v1/messages') return json({ detail: 'Not Found' }, 404)(response);
  if (request.url === '/v1/responses') return json({ error: { message: 'Down.' } }, 503)(response);
  const body = JSON.parse(sent) as Json;
  asked.push(body);
  const error = refusal(body);
  return error ? json([{ error }], 400)(response) : json(COMPLETION)(response);
};
let gateway: Served;
let origin: string;
const asked: Json[] = [];
/** Why the host takes a request not; undefined where it does. */
let refusal: (body: Json) => Json | undefined;

beforeAll(async () => {
  const one: Handler = async (request, response) => {
    const sent = await textOf(request);
    if (request.method === 'GET')
      return json({ object: 'list', data: [{ id: 'm' }, { id: 'both' }] })(response);
    const body = JSON.parse(sent) as Json;
    asked.push(body);
    const error = refusal(body);
    if (error) return json({ type: 'error', error }, 400)(response);
    if (request.url === '/v1/responses') return json({ id: 'r', object: 'response', ...ANSWERED })(response);
    return json({ type: 'message', role: 'assistant', content: [{ type: 'text', text: 'Done.' }] })(response);
  };
  /** Knows chat completions only, and takes all of them. */
  const other: Handler = (request, response) =>
    (request.url === '/v1/chat/completions' ? json(COMPLETION) : json({ detail: 'Not Found' }, 404))(
      response,
    );
  const routes = [
    { model: 'm', tiers: [[{ host: 'one' }]] },
    { model: 'chat', tiers: [[{ host: 'down' }]] },
    { model: 'chats', tiers: [[{ host: 'down' }], [{ host: 'other' }]] },
  ];
  const file = { llmService: { upstream: { routes } } };
  gateway = await serveOver({ one, down: answerDown, other }, {}, file);
  origin = gateway.url;
});
beforeEach(() => void (asked.length = 0));
afterAll(() => gateway.close());

const ANSWERED = { status: 'completed', output: [{ type: 'message', content: [] }] };
const COMPLETION = {
  id: 'c',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Done.' }, finish_reason: 'stop' }],
};
const HELLO = { role: 'user', content: 'Hi' };
const TEXT = { type: 'text', text: 'I look.' };
const CALL = { type: 'tool_use', id: 'call_1', name: 'f', input: {} };
const RESULT = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: '2' }] };
/** As a host that speaks chat completions has thought it, and as others sign it. */
const THOUGHTS = [
  { type: 'thinking', thinking: 'So.', signature: '' },
  { type: 'redacted_thinking', data: 'abc' },
];
const bad = (message: string, rest: Json = {}) => ({ type: 'invalid_request_error', message, ...rest });
const INVALID = bad('messages.1.content.0: Invalid `signature` in `thinking` block');
const MISSED = bad(
  'messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.',
);
const holds = (body: Json, word: string) => JSON.stringify(body).includes(`"${word}"`);

async function ask(path: string, body: Json): Promise<[number, Json]> {
  const response = await call(path, body);
  return [response.status, (await response.json()) as Json];
}

function call(path: string, body: Json): Promise<Response> {
  return postJson(`${origin}${path}`, { model: 'm', ...body });
}

describe('a message that goes on with what another host has thought', () => {
  const message = (content: Json[], rest: Json = {}) => ({
    max_tokens: 9,
    messages: [HELLO, { role: 'assistant', content }, RESULT],
    ...rest,
  });

  it.each([
    ['', INVALID],
    [', of a cloud', bad('messages.1.content.0: Invalid signature in thinking block')],
    [', of one without any', bad('messages.1.content.0.thinking.signature: Field required')],
    [
      ', of one behind a text',
      bad(
        'messages.1.content.0: If an assistant message contains any thinking blocks, the first block must be `thinking` or `redacted_thinking`. Found `text`.',
      ),
    ],
    [', of an encrypted one', bad('messages.1.content.1: Invalid `data` in `redacted_thinking` block')],
    [
      ', of a changed one',
      bad(
        'messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.',
      ),
    ],
    [
      ', of an empty one',
      bad('messages.1.content.0.thinking: each thinking block must contain non-whitespace thinking'),
    ],
    [', of the last one', bad('messages.1: The final block in an assistant message cannot be `thinking`.')],
  ])('is answered without it by a host that refuses it%s', async (_, error) => {
    refusal = (body) => (holds(body, 'thinking') || holds(body, 'redacted_thinking') ? error : undefined);
    const [status] = await ask('/v1/messages', message([...THOUGHTS, TEXT, CALL]));
    expect([status, asked.length]).toEqual([200, 2]);
    expect(asked[1]).toEqual({ model: 'm', ...message([TEXT, CALL]) });
  });

  it('is answered without thinking by a host that misses a thought then', async () => {
    refusal = (body) => (holds(body, 'signature') ? INVALID : 'thinking' in body ? MISSED : undefined);
    const thinking = { type: 'enabled', budget_tokens: 1024 };
    const [clears, other] = [{ type: 'clear_thinking_20251015' }, { type: 'clear_tool_uses_20250919' }];
    const management = { context_management: { edits: [clears, other] } };
    const [status] = await ask('/v1/messages', message([...THOUGHTS, CALL], { thinking, ...management }));
    expect([status, asked.length]).toEqual([200, 3]);
    const left = { context_management: { edits: [other] } };
    expect(asked[2]).toEqual({ model: 'm', ...message([CALL], left) });
  });

  it('has no message that was nothing else', async () => {
    refusal = (body) => (holds(body, 'signature') ? INVALID : undefined);
    const messages = [HELLO, { role: 'assistant', content: THOUGHTS }, HELLO];
    const [status] = await ask('/v1/messages', { max_tokens: 9, messages });
    expect([status, asked[1]?.['messages']]).toEqual([200, [HELLO, HELLO]]);
  });

  it.each([
    'messages: text content blocks must be non-empty',
    'messages.1.content.0: text content blocks must contain non-whitespace text',
    'messages.3: all messages must have non-empty content except for the optional final assistant message',
  ])('has none that says nothing, nor such a text, for a host that says: %s', async (words) => {
    const blank = { type: 'text', text: ' ' };
    refusal = (body) => (/"(text|content)":" *"/.test(JSON.stringify(body)) ? bad(words) : undefined);
    const messages = [
      HELLO,
      { role: 'assistant', content: [blank, CALL] },
      RESULT,
      { role: 'assistant', content: '' },
      { role: 'user', content: [blank] },
      HELLO,
    ];
    const [status] = await ask('/v1/messages', { max_tokens: 9, messages });
    const left = [HELLO, { role: 'assistant', content: [CALL] }, RESULT, HELLO];
    expect([status, asked[1]?.['messages']]).toEqual([200, left]);
  });

  it('has ids of calls as a host takes them that refuses those of another one', async () => {
    const pattern = "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'";
    refusal = (body) => (JSON.stringify(body).includes('functions.f:0') ? bad(pattern) : undefined);
    const turns = (id: string) => [
      HELLO,
      { role: 'assistant', content: [TEXT, { ...CALL, id }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: '2' }] },
    ];
    const [status] = await ask('/v1/messages', { max_tokens: 9, messages: turns('functions.f:0') });
    expect([status, asked[1]?.['messages']]).toEqual([200, turns('functions_f_0')]);
  });

  it('is refused where that is about something else, or nothing can be taken out', async () => {
    refusal = () => bad('max_tokens: signature of 9 is too small');
    expect(await ask('/v1/messages', message([...THOUGHTS, CALL]))).toMatchObject([400, {}]);
    refusal = () => INVALID;
    expect(await ask('/v1/messages', message([CALL]))).toMatchObject([400, { error: INVALID }]);
    expect(asked).toHaveLength(2);
  });
});

describe('a response that goes on with what another host has thought', () => {
  it.each([
    ['', 'm'],
    [', while the one that has made it is down', 'both'],
  ])('is answered without it by a host that cannot read it%s', async (_, model) => {
    const code = 'invalid_encrypted_content';
    refusal = (body) =>
      holds(body, 'reasoning')
        ? bad('The encrypted content gAAA could not be verified.', { code })
        : undefined;
    const called = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' };
    const result = { type: 'function_call_output', call_id: 'call_1', output: '2' };
    const thought = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' };
    const [status] = await ask('/v1/responses', {
      model,
      input: [HELLO, thought, { id: 'fc_1', ...called }, result],
    });
    expect([status, asked.at(-1)]).toEqual([200, { model, input: [HELLO, called, result] }]);
  });
});

it.each([
  ["Item with id 'fc_1' not found. Items are not persisted when `store` is set to false."],
  ["Referenced reasoning item 'rs_1' was not found or has expired."],
])('a response has no ids of what another host keeps for one that says: %s', async (words) => {
  refusal = (body) => (/"(fc|rs)_1"/.test(JSON.stringify(body)) ? bad(words) : undefined);
  const called = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' };
  const result = { type: 'function_call_output', call_id: 'call_1', output: '2' };
  const [status] = await ask('/v1/responses', { input: [HELLO, { ...called, id: 'fc_1' }, result] });
  expect([status, asked.at(-1)?.['input']]).toEqual([200, [HELLO, called, result]]);
});

describe('calls of tools that Google has not signed', () => {
  const called = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } };
  const google = { thought_signature: 'skip_thought_signature_validator' };
  const signed = { ...called, extra_content: { google } };
  beforeEach(() => {
    const missed = bad('Function call is missing a thought_signature in functionCall parts.');
    refusal = (body) => (holds(body, 'thought_signature') ? undefined : missed);
  });

  it('have what it documents for such where it refuses them', async () => {
    const turns = (...calls: Json[]) => [
      HELLO,
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: 'call_1', content: '2' },
    ];
    const [status] = await ask('/v1/chat/completions', { model: 'chat', messages: turns(called, called) });
    expect([status, asked[1]]).toEqual([200, { model: 'chat', messages: turns(signed, called) }]);
  });

  it('have it in a message, too', async () => {
    const messages = [HELLO, { role: 'assistant', content: [CALL] }, RESULT];
    const [status] = await ask('/v1/messages', { model: 'chat', max_tokens: 9, messages });
    expect([status, asked.length]).toEqual([200, 2]);
    expect(asked[1]?.['messages']).toMatchObject([HELLO, { tool_calls: [signed] }, { role: 'tool' }]);
  });
});

it('answers without a word are left out for Moonshot, but not with calls, nor are results', async () => {
  const words = "Invalid request: the message at position 1 with role 'assistant' must not be empty";
  const isBad = ({ role, content, tool_calls: calls }: Json) =>
    role === 'assistant' && content === '' && !calls;
  refusal = ({ messages }) => ((messages as Json[]).some(isBad) ? bad(words) : undefined);
  const calls = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }];
  const called = { role: 'assistant', content: '', tool_calls: calls };
  const result = { role: 'tool', tool_call_id: 'call_1', content: '' };
  const messages = [HELLO, { role: 'assistant', content: '' }, HELLO, called, result];
  const [status] = await ask('/v1/chat/completions', { model: 'chat', messages });
  expect([status, asked.at(-1)?.['messages']]).toEqual([200, [HELLO, HELLO, called, result]]);
});

it('a message that is nothing but a thought of another host is left out for it, too', async () => {
  const words = "the message with role 'assistant' must not be empty";
  refusal = ({ messages }) =>
    (messages as Json[]).some(({ content }) => content === '') ? bad(words) : undefined;
  const thought = [{ type: 'thinking', thinking: 'So.', signature: '' }];
  const messages = [HELLO, { role: 'assistant', content: thought }, HELLO];
  const [status] = await ask('/v1/messages', { model: 'chat', max_tokens: 9, messages });
  expect([status, asked.at(-1)?.['messages']]).toEqual([200, [HELLO, HELLO]]);
});

it('answers that another host gave without a thought have one for a host that wants it of each', async () => {
  const missing =
    'thinking is enabled but reasoning_content is missing in assistant tool call message at index 1';
  const calls = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }];
  const said = { role: 'assistant', content: null, tool_calls: calls };
  const result = { role: 'tool', tool_call_id: 'call_1', content: '2' };
  const thought = { ...said, reasoning_content: 'Hm.' };
  refusal = ({ messages }) =>
    (messages as Json[]).every(({ role, reasoning_content: each }) => role !== 'assistant' || each)
      ? undefined
      : bad(missing);
  const [status] = await ask('/v1/chat/completions', {
    model: 'chat',
    messages: [HELLO, said, result, thought, result],
  });
  expect([status, asked.length]).toEqual([200, 2]);
  const filled = { ...said, reasoning_content: ' ' };
  expect(asked[1]).toEqual({ model: 'chat', messages: [HELLO, filled, result, thought, result] });
});

it('a habit of a model is learned in a message, too, that another host has answered', async () => {
  const thoughtless = ({ messages }: Json) =>
    (messages as Json[]).some(({ role, reasoning_content: each }) => role === 'assistant' && !each);
  refusal = (body) =>
    thoughtless(body) ? bad('The `reasoning_content` in the thinking mode must be passed back.') : undefined;
  const messages = [HELLO, { role: 'assistant', content: [CALL] }, RESULT];
  const hosts: (string | null)[] = [];
  for (let time = 0; time < 2; time += 1) {
    const response = await call('/v1/messages', { model: 'chats', max_tokens: 9, messages });
    hosts.push(response.headers.get('x-morgan-host'));
    await response.text();
  }
  expect(hosts).toEqual(['other', 'down']);
});
