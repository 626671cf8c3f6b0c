import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Handler, postJson } from '@morgan/testing';
import { events, json } from '../../fixture/host-answers.ts';
import { type Served, serveOver } from '../../fixture/served.ts';

type Json = Record<string, unknown>;

let gateway: Served;
let origin: string;
/** What the host says: the pieces of a message, or the whole of it. */
let said: { readonly pieces: Json[]; readonly message: Json };
const asked: Json[] = [];
let refusal: string | undefined;

beforeAll(async () => {
  const one: Handler = async (request, response) => {
    const sent = await textOf(request);
    if (request.method === 'GET') return json({ object: 'list', data: [] })(response);
    if (request.url !== '/v1/chat/completions') return json({ detail: 'Not Found' }, 404)(response);
    const body = JSON.parse(sent) as Json;
    asked.push(body);
    if (refusal !== undefined && JSON.stringify(body).includes('reasoning_details'))
      return json({ error: { message: refusal } }, 400)(response);
    const choice = (rest: Json) => ({ id: 'c', choices: [{ index: 0, finish_reason: null, ...rest }] });
    const whole = choice({ message: said.message, finish_reason: 'tool_calls' });
    if (body['stream'] !== true) return json({ ...whole, object: 'chat.completion' })(response);
    const pieces = said.pieces.map((delta) => choice({ delta }));
    return events(
      ...pieces,
      choice({ delta: {}, finish_reason: 'tool_calls' }),
      'data: [DONE]\n\n',
    )(response);
  };
  gateway = await serveOver({ one });
  origin = gateway.url;
});
afterAll(() => gateway.close());

const HELLO = { role: 'user', content: 'Hi' };

function call(body: Json): Promise<Response> {
  return postJson(`${origin}/v1/messages`, { model: 'm', max_tokens: 9, messages: [HELLO], ...body });
}

/** The content of the answer, of a stream as the official clients put it together. */
async function contentOf(body: Json): Promise<Json[]> {
  const response = await call(body);
  if (body['stream'] !== true) return ((await response.json()) as { content: Json[] }).content;
  const blocks: Json[] = [];
  for (const [, data = ''] of (await response.text()).matchAll(/^data: (.*)$/gm)) {
    const { index, content_block: block, delta = {} } = JSON.parse(data) as Record<string, Json>;
    const at = Number(index);
    if (block) blocks[at] = { ...block };
    const { thinking = '', signature } = delta ?? {};
    const open = blocks[at];
    if (open && 'thinking' in open) open['thinking'] = `${String(open['thinking'])}${String(thinking)}`;
    if (open && signature !== undefined) open['signature'] = signature;
  }
  return blocks;
}

const goOn = (content: Json[], rest: Json = {}) =>
  call({
    messages: [
      HELLO,
      { role: 'assistant', content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: '2' }] },
    ],
    ...rest,
  });
/** What the host was sent back of its message. */
const back = () => (asked.at(-1)?.['messages'] as Json[])[1] ?? {};

const CALLED = {
  tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
};
const text = (rest: Json) => ({ type: 'reasoning.text', format: 'x', index: 0, ...rest });
const thought = (thinking: string, signature = '') => ({ type: 'thinking', thinking, signature });
const encrypted = { type: 'reasoning.encrypted', data: 'abc+/=', id: 'a', index: 0 };

const CASES: [string, string, Json[], Json, string][] = [
  [
    'OpenRouter, of Claude',
    'reasoning_details',
    [
      { reasoning: 'So', reasoning_details: [text({ text: 'So' })] },
      { reasoning: ' so.', reasoning_details: [text({ text: ' so.' })] },
      { reasoning_details: [text({ signature: 's+/=' })] },
      CALLED,
    ],
    { reasoning: 'So so.', reasoning_details: [text({ text: 'So so.', signature: 's+/=' })] },
    'So so.',
  ],
  [
    'OpenRouter, of Gemini, without a word',
    'reasoning_details',
    [{ ...CALLED, reasoning_details: [encrypted] }],
    { reasoning_details: [encrypted] },
    '',
  ],
  [
    'OpenRouter, behind the call',
    'reasoning_details',
    [CALLED, { reasoning_details: [encrypted] }],
    { reasoning_details: [encrypted] },
    '',
  ],
  [
    'LiteLLM, which says it all once more',
    'thinking_blocks',
    [
      { reasoning_content: 'So', thinking_blocks: [thought('So')] },
      { reasoning_content: ' so.', thinking_blocks: [thought(' so.')] },
      { content: '', thinking_blocks: [thought('So so.', 's')] },
      CALLED,
    ],
    { reasoning_content: 'So so.', thinking_blocks: [thought('So so.', 's')] },
    'So so.',
  ],
];

describe.each([false, true])('thoughts that a host wants back as it said them, streamed: %s', (stream) => {
  it.each(CASES)('are sent back as they came: %s', async (_, name, pieces, message, thinking) => {
    said = { pieces, message: { role: 'assistant', content: null, ...message, ...CALLED } };
    const content = await contentOf({ stream });
    const thoughts = content.filter(({ type }) => type === 'thinking');
    expect(thoughts).toEqual([
      { type: 'thinking', thinking, signature: expect.stringMatching(/^thoughts\./) },
    ]);
    await goOn(content);
    expect(back()[name]).toEqual(message[name]);
  });

  it('are not shown where nobody wants to see them, and sent back', async () => {
    const [, name, pieces, message] = CASES[0] as (typeof CASES)[number];
    said = { pieces, message: { role: 'assistant', content: null, ...message, ...CALLED } };
    const content = await contentOf({ stream, thinking: { type: 'adaptive', display: 'omitted' } });
    expect(content[0]).toMatchObject({ type: 'thinking', thinking: '' });
    await goOn(content);
    expect(back()[name]).toEqual(message[name]);
  });
});

describe('thoughts that a host has proven', () => {
  it('say nothing to another model', async () => {
    const [, , pieces, message] = CASES[0] as (typeof CASES)[number];
    said = { pieces, message: { role: 'assistant', content: null, ...message, ...CALLED } };
    const content = await contentOf({});
    await goOn(content, { model: 'other' });
    expect(back()).not.toHaveProperty('reasoning_details');
    expect(back()).toMatchObject({ reasoning_content: 'So so.' });
  });

  it('are left out for a model that does not know the field', async () => {
    const [, , pieces, message] = CASES[0] as (typeof CASES)[number];
    said = { pieces, message: { role: 'assistant', content: null, ...message, ...CALLED } };
    const content = await contentOf({});
    refusal = 'body.messages.1.reasoning_details: Extra inputs are not permitted';
    const { status } = await goOn(content);
    refusal = undefined;
    expect([status, back()]).toEqual([
      200,
      expect.not.objectContaining({ reasoning_details: expect.anything() }),
    ]);
  });

  it('are refused where they are no longer what they were', async () => {
    const response = await goOn([{ type: 'thinking', thinking: 'So', signature: 'thoughts.abc' }]);
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({
        error: expect.objectContaining({
          message: expect.stringContaining('messages[1].content[0].signature'),
        }),
      }),
    ]);
  });
});
