import type { RequestListener, ServerResponse } from 'node:http';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { events, json } from '../../fixture/host-answers.ts';
import { type Served, serveOver } from '../../fixture/served.ts';

type Json = Record<string, unknown>;
type Block = Anthropic.ContentBlockParam;

const SIGNED = 'EqQB';
const HELLO: Anthropic.MessageParam = { role: 'user', content: 'Hi' };
const ASKED = { model: 'm', max_tokens: 2048, thinking: { type: 'enabled', budget_tokens: 1024 } } as const;

const asked: [string, Json][] = [];
let gateway: Served;
let client: Anthropic;

const event = (json: Json) => `event: ${String(json['type'])}\ndata: ${JSON.stringify(json)}\n\n`;
const block = (index: number, start: Json, ...deltas: Json[]) => [
  event({ type: 'content_block_start', index, content_block: start }),
  ...deltas.map((delta) => event({ type: 'content_block_delta', index, delta })),
];
const thought = (thinking: string, ...more: Json[]) =>
  block(0, { type: 'thinking', thinking: '', signature: '' }, { type: 'thinking_delta', thinking }, ...more);
const stop = (index: number) => event({ type: 'content_block_stop', index });
const START = event({
  type: 'message_start',
  message: { id: 'msg_a', type: 'message', role: 'assistant', content: [], usage: { input_tokens: 9 } },
});
const ended = (reason: string) => [
  event({ type: 'message_delta', delta: { stop_reason: reason }, usage: { output_tokens: 4 } }),
  event({ type: 'message_stop' }),
];
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} };

function answerBroken(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write([START, ...thought('Let me')].join(''), () => response.destroy());
}

/** As Anthropic's API judges thoughts that it is sent back: each has to be signed, and a call has one in front of it. */
function refusalOf({ messages, thinking }: Json): string | undefined {
  const answers = (messages as Anthropic.MessageParam[]).filter(({ role }) => role === 'assistant');
  const blocks = answers.flatMap(({ content }) => content as Block[]);
  if (blocks.some((each) => each.type === 'thinking' && each.signature !== SIGNED))
    return 'messages.1.content.0: Invalid `signature` in `thinking` block';
  const isMissed = thinking !== undefined && blocks.some(({ type }) => type === 'tool_use');
  return isMissed && !blocks.some(({ type }) => type === 'thinking')
    ? 'messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.'
    : undefined;
}

function answerWhole(body: Json, response: ServerResponse): unknown {
  const message = refusalOf(body);
  if (message !== undefined)
    return json({ type: 'error', error: { type: 'invalid_request_error', message } }, 400)(response);
  const signature = { type: 'signature_delta', signature: SIGNED };
  const said = block(1, { type: 'text', text: '' }, { type: 'text_delta', text: 'One.' });
  const call = body['tools'] ? [...block(2, CALL), stop(2)] : [];
  const end = ended(body['tools'] ? 'tool_use' : 'end_turn');
  return events(START, ...thought('So.', signature), stop(0), ...said, stop(1), ...call, ...end)(response);
}

/** `first` breaks within a thought; `second` knows the same API and takes no thought but its own; `chat` knows another API. */
function hostOf(name: 'first' | 'second' | 'chat'): RequestListener {
  return (request, response) => {
    void request.toArray().then((bytes) => {
      const body = JSON.parse(Buffer.concat(bytes as Buffer[]).toString()) as Json;
      const isKnown = request.url === (name === 'chat' ? '/v1/chat/completions' : '/v1/messages');
      if (!isKnown) return json({ detail: 'Not Found' }, 404)(response);
      asked.push([name, body]);
      if (name === 'first') return answerBroken(response);
      if (name === 'second') return answerWhole(body, response);
      const choice = { index: 0, message: { role: 'assistant', content: 'Two.' }, finish_reason: 'stop' };
      return json({ id: 'c', object: 'chat.completion', choices: [choice] })(response);
    });
  };
}

beforeAll(async () => {
  const routes = [
    { model: 'm', tiers: [[{ host: 'first' }], [{ host: 'second' }]] },
    { model: 'native', tiers: [[{ host: 'second' }]] },
    { model: 'chat', tiers: [[{ host: 'chat' }]] },
  ];
  const hosts = { first: hostOf('first'), second: hostOf('second'), chat: hostOf('chat') };
  gateway = await serveOver(hosts, {}, { llmService: { upstream: { routes } } });
  client = new Anthropic({ baseURL: gateway.url, apiKey: 'any', maxRetries: 0 });
});
beforeEach(() => void (asked.length = 0));
afterAll(() => gateway.close());

const TOOLS = [{ name: 'f', input_schema: { type: 'object' } }] as const;

/** A message that broke within a thought and was finished elsewhere, as the official client puts it together. */
async function takenUp(more: object = {}): Promise<Anthropic.MessageParam> {
  const { role, content } = await client.messages
    .stream({ ...ASKED, ...more, messages: [HELLO] })
    .finalMessage();
  expect(content[0]).toEqual({ type: 'thinking', thinking: 'Let me', signature: '' });
  return { role, content };
}

describe('a conversation with a thought that broke off, and was never signed', () => {
  it('goes on at a host that takes signed thoughts only', async () => {
    const said = await takenUp();
    const next = { ...ASKED, model: 'native', messages: [HELLO, said, HELLO] };
    expect((await client.messages.stream(next).finalMessage()).stop_reason).toBe('end_turn');
    const text = { type: 'text', text: 'One.' };
    expect(asked.at(-1)?.[1]['messages']).toEqual([HELLO, { role: 'assistant', content: [text] }, HELLO]);
    expect(asked.at(-1)?.[1]['thinking']).toEqual(ASKED.thinking);
  });

  it('goes on there with the result of a tool, without thinking until the next turn', async () => {
    const tools = [...TOOLS];
    const said = await takenUp({ tools });
    const result = { type: 'tool_result' as const, tool_use_id: 'toolu_1', content: '2' };
    const messages = [HELLO, said, { role: 'user' as const, content: [result] }];
    const next = { ...ASKED, model: 'native', tools, messages };
    expect((await client.messages.stream(next).finalMessage()).stop_reason).toBe('tool_use');
    expect(asked.at(-1)?.[1]).not.toHaveProperty('thinking');
  });

  it('goes on at a host that speaks chat completions, with what was thought', async () => {
    const said = await takenUp();
    const { content } = await client.messages.create({
      ...ASKED,
      model: 'chat',
      messages: [HELLO, said, HELLO],
    });
    expect(content).toEqual([expect.objectContaining({ text: 'Two.' })]);
    expect((asked.at(-1)?.[1]['messages'] as Json[])[1]).toEqual({
      role: 'assistant',
      content: 'One.',
      reasoning_content: 'Let me',
    });
  });
});
