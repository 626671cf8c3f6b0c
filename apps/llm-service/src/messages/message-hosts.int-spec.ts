import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Handler, postJson } from '@morgan/testing';
import { type Served, serveOver } from '../../fixture/served.ts';

type Json = Record<string, unknown>;

const CHAT = '/v1/chat/completions';

let gateway: Served;
let origin: string;
/** What the host says: the deltas of a stream, or the message and the rest of its choice. */
let deltas: Json[];
let whole: { readonly message: Json; readonly choice: Json };
let usage: Json;
let canStream = true;

beforeAll(async () => {
  const one: Handler = async (request, response) => {
    const sent = await textOf(request);
    const json = (value: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.method === 'GET') return json({ object: 'list', data: [] });
    if (request.url !== CHAT) return json({ detail: 'Not Found' }, 404);
    const body = JSON.parse(sent) as Json;
    if (body['stream'] !== true || !canStream)
      return json({ id: 'c1', choices: [{ index: 0, ...whole.choice, message: whole.message }], usage });
    const chunks = [...deltas.map((delta) => ({ choices: [{ index: 0, delta }] })), finish(), counts()];
    const events = chunks.map((chunk) => `data: ${JSON.stringify({ id: 'c1', ...chunk })}\n\n`);
    return response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end(`${events.join('')}data: [DONE]\n\n`);
  };
  gateway = await serveOver({ one });
  origin = gateway.url;
});
afterAll(() => gateway.close());

const finish = () => ({ choices: [{ index: 0, delta: {}, ...whole.choice }] });
const counts = () => ({ choices: [], usage });

function call(body: Json): Promise<Response> {
  return postJson(
    `${origin}/v1/messages`,
    { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], ...body },
    { 'anthropic-version': '2023-06-01' },
  );
}

interface Told {
  readonly content: readonly Json[];
  readonly stop: unknown;
  readonly error?: unknown;
}

/** As the official clients put a stream together. */
async function streamed(body: Json = {}): Promise<Told> {
  // A stream that breaks is read as far as it came.
  const response = await call({ ...body, stream: true });
  if (response.headers.get('content-type')?.includes('json')) return toldIn((await response.json()) as Json);
  let text = '';
  try {
    for await (const piece of response.body ?? []) text += Buffer.from(piece as Uint8Array).toString();
  } catch {
    text += '';
  }
  const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as Json);
  const blocks: Json[] = [];
  const inputs: string[] = [];
  let stop: unknown;
  let error: unknown;
  for (const { type, index, content_block: block, delta: said, error: failed } of events) {
    const delta = (said ?? {}) as Json;
    if (type === 'error') error = (failed as Json)['message'];
    if (type === 'message_delta') stop = delta['stop_reason'];
    if (type === 'content_block_start') blocks[index as number] = { ...(block as Json) };
    const open = blocks[index as number] ?? {};
    for (const name of ['text', 'thinking'])
      if (typeof delta[name] === 'string') open[name] = `${String(open[name])}${delta[name]}`;
    if (delta['type'] === 'input_json_delta')
      inputs[index as number] = (inputs[index as number] ?? '') + String(delta['partial_json']);
    const input = inputs[index as number];
    if (type === 'content_block_stop' && input !== undefined) open['input'] = JSON.parse(input);
  }
  return { content: blocks, stop, ...(error !== undefined && { error }) };
}

async function asJson(body: Json = {}): Promise<Told> {
  return toldIn((await (await call(body)).json()) as Json);
}

async function asWhole(body: Json = {}): Promise<Told> {
  canStream = false;
  try {
    return await streamed(body);
  } finally {
    canStream = true;
  }
}

function toldIn(answer: Json): Told {
  const { content = [], stop_reason: stop, error } = answer as { content?: Json[] } & Json;
  return { content, stop, ...(error !== undefined && { error: (error as Json)['message'] }) };
}

/** The host says the message so, and its choice ends so. */
function says(message: Json, finishReason = 'tool_calls', counted = 4): void {
  whole = { message: { role: 'assistant', ...message }, choice: { finish_reason: finishReason } };
  usage = { prompt_tokens: 3, completion_tokens: counted };
}

const piece = (rest: Json, called: Json): Json => ({ tool_calls: [{ ...rest, function: called }] });
const named = (name: string, text: string) => ({ name, arguments: text });
const more = (text: string) => ({ arguments: text });
const uses = ({ content }: Told) =>
  content.filter(({ type }) => type === 'tool_use').map(({ name, input }) => [name, input]);
const ids = ({ content }: Told) => content.flatMap(({ id }) => (id === undefined ? [] : [id]));

describe('calls of tools in a stream', () => {
  const READ = [
    ['f', { a: 1 }],
    ['g', { b: 2 }],
  ];

  it.each<[string, Json[]]>([
    [
      'another id with each delta (Poolside)',
      [
        piece({ index: 0, id: 'x1' }, named('f', '')),
        piece({ index: 0, id: 'x2' }, more('{"a"')),
        piece({ index: 0, id: 'x2' }, more(':1}')),
        piece({ index: 0, id: 'x2' }, more('')),
        piece({ index: 1, id: 'y1' }, named('g', '{"b":2}')),
      ],
    ],
    [
      'the same id and place for all, with another name (behind OpenRouter)',
      [
        piece({ index: 0, id: 'x' }, named('f', '{"a":1}')),
        piece({ index: 0, id: 'x' }, named('g', '{"b":2}')),
      ],
    ],
    [
      'the same id for all, at places of their own',
      [
        piece({ index: 0, id: 'x' }, named('f', '{"a":1}')),
        piece({ index: 1, id: 'x' }, named('g', '{"b":2}')),
      ],
    ],
    [
      'id and name again with each delta (Fireworks)',
      [
        piece({ index: 0, id: 'x' }, named('f', '{"a"')),
        piece({ index: 0, id: 'x' }, named('f', ':1}')),
        piece({ index: 1, id: 'y' }, named('g', '')),
        piece({ index: 1, id: 'y' }, named('g', '{"b":2}')),
      ],
    ],
    [
      'one place, and pieces in turns under their ids',
      [
        piece({ index: 0, id: 'x' }, named('f', '{"a"')),
        piece({ index: 0, id: 'y' }, named('g', '{"b"')),
        piece({ index: 0, id: 'x' }, more(':1}')),
        piece({ index: 0, id: 'y' }, more(':2}')),
      ],
    ],
    [
      'each as a whole once more at the end (LiteLLM)',
      [
        piece({ index: 0, id: 'x' }, named('f', '{"a"')),
        piece({ index: 0, id: 'x' }, more(':1}')),
        piece({ index: 0, id: 'x' }, named('f', '{"a":1}')),
        piece({ index: 1, id: 'y' }, named('g', '{"b":2}')),
        piece({ index: 1, id: 'y' }, named('g', '"{\\"b\\":2}"')),
      ],
    ],
    [
      'each as a whole once more, under nothing (OpenCodex)',
      [
        piece({ index: 0, id: 'x' }, named('f', '')),
        piece({ index: 0 }, more('{"a":1}')),
        piece({ index: 0 }, more('{"a":1}')),
        piece({ index: 1, id: 'y' }, named('g', '')),
        piece({ index: 1 }, more('{"b":2}')),
        piece({ index: 1 }, more('{"b":2}')),
      ],
    ],
    [
      'all of the arguments again with each delta',
      [
        piece({ index: 0, id: 'x' }, named('f', '{')),
        piece({ index: 0, id: 'x' }, named('f', '{"a":')),
        piece({ index: 0, id: 'x' }, named('f', '{"a":1')),
        piece({ index: 0, id: 'x' }, named('f', '{"a":1}')),
        piece({ index: 1, id: 'y' }, named('g', '{"b"')),
        piece({ index: 1 }, more('{"b":2}')),
      ],
    ],
    [
      'something behind the end of an object',
      [
        piece({ index: 0, id: 'x' }, named('f', '{"a":1}}')),
        piece({ index: 1, id: 'y' }, named('g', '{"b":2}')),
        piece({ index: 1 }, more('\n}')),
      ],
    ],
    [
      'an empty delta behind what has followed',
      [
        piece({ index: 0, id: 'x' }, named('f', '{"a":1}')),
        piece({ index: 1, id: 'y' }, named('g', '{"b":2}')),
        { content: 'Done.' },
        piece({ index: 0 }, more('')),
      ],
    ],
    [
      'white space and thoughts in the middle of a call',
      [
        { content: '\n', ...piece({ index: 0, id: 'x' }, named('f', '')) },
        { content: '\n', ...piece({ index: 0 }, more('{"a"')) },
        { reasoning: 'Hm.', ...piece({ index: 0 }, more(':1}')) },
        piece({ index: 1, id: 'y' }, named('g', '{"b":2}')),
      ],
    ],
    [
      'the id behind the name',
      [
        piece({ index: 0 }, named('f', '')),
        piece({ index: 0, id: 'x' }, more('{"a":1}')),
        piece({ index: 1, id: 'y' }, named('g', '{"b":2}')),
      ],
    ],
  ])('are told apart where the host has %s', async (_, said) => {
    says({ content: 'x' });
    deltas = said;
    const told = await streamed();
    expect([uses(told), told.stop, new Set(ids(told)).size]).toEqual([READ, 'tool_use', 2]);
  });

  it('have an object within that begins as they do', async () => {
    says({});
    deltas = [
      piece({ index: 0, id: 'x' }, named('f', '{"a":')),
      piece({ index: 0 }, more('{"a":1}')),
      piece({ index: 0 }, more('}')),
    ];
    expect(uses(await streamed())).toEqual([['f', { a: { a: 1 } }]]);
  });

  it('are two where one id and one name have two kinds of arguments', async () => {
    says({});
    deltas = [
      piece({ index: 0, id: 'x' }, named('f', '{"a":1}')),
      piece({ index: 0, id: 'x' }, named('f', '{"a":2}')),
    ];
    const told = await streamed();
    expect([uses(told), new Set(ids(told)).size]).toEqual([
      [
        ['f', { a: 1 }],
        ['f', { a: 2 }],
      ],
      2,
    ]);
  });
});

describe.each<[string, (body?: Json) => Promise<Told>]>([
  ['in a stream', streamed],
  ['as JSON', asJson],
  ['as JSON where a stream was asked for', asWhole],
])('what a host says %s', (_, told) => {
  const saysCall = (called: unknown, finishReason?: string, counted?: number) => {
    const message = {
      content: null,
      tool_calls: [{ index: 0, id: 'x', type: 'function', function: called }],
    };
    says(message, finishReason, counted);
    deltas = [message];
  };

  it.each<[unknown, Json]>([
    ['', {}],
    ['null', {}],
    [null, {}],
    ['  {"a":1}', { a: 1 }],
    ['"{\\"a\\":1}"', { a: 1 }],
    ['""', {}],
    [{ a: 1 }, { a: 1 }],
  ])('calls a tool with an object, also where its arguments are %j', async (given, input) => {
    saysCall({ name: 'f', arguments: given });
    const { content, stop } = await told();
    expect([content, stop]).toEqual([[{ type: 'tool_use', id: 'x', name: 'f', input }], 'tool_use']);
  });

  it.each<[string, unknown]>([
    ['arguments without an end', { name: 'f', arguments: '{"a":' }],
    ['arguments that are a list', { name: 'f', arguments: '[1]' }],
    ['arguments that are words', { name: 'f', arguments: 'all of them' }],
    ['two calls in one', { name: 'f', arguments: '{"a":1}{"a":2}' }],
    ['no name', { arguments: '{}' }],
  ])('is no answer with %s', async (_kind, called) => {
    saysCall(called);
    expect(await told()).toMatchObject({
      stop: undefined,
      error: expect.stringContaining('The host called a tool with'),
    });
  });

  it.each<[string, string, number]>([
    ['says so', 'length', 4],
    ['says that there are calls (vLLM)', 'tool_calls', 9],
  ])('is cut at its longest within a call where the host %s', async (_kind, finishReason, counted) => {
    saysCall({ name: 'f', arguments: '"{\\"a' }, finishReason, counted);
    expect(await told()).toEqual({ content: [], stop: 'max_tokens' });
  });

  it('is whole at its longest where its calls are', async () => {
    saysCall({ name: 'f', arguments: '{}' }, 'tool_calls', 9);
    expect(await told()).toMatchObject({ content: [{ name: 'f' }], stop: 'tool_use' });
  });

  it.each<[Json]>([
    [{ reasoning_content: 'Hm.' }],
    [{ reasoning: 'Hm.' }],
    [{ reasoning_text: 'Hm.' }],
    [{ thinking: 'Hm.' }],
    [{ reasoning_details: [{ type: 'reasoning.text', text: 'Hm.', format: 'x' }] }],
    [{ reasoning_details: [{ type: 'reasoning.summary', summary: 'Hm.' }, { type: 'reasoning.encrypted' }] }],
    [{ reasoning: 'Hm.', reasoning_details: [{ type: 'reasoning.text', text: 'Hm.' }] }],
    [{ thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: '' }] }],
    [{ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }] }],
    [{ content: [{ type: 'thinking', thinking: 'Hm.' }] }],
    [{ content: [{ type: 'reasoning', text: 'Hm.' }] }],
    [{ content: [{ type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] }] }],
  ])('has its thoughts, whatever their name: %j', async (thought) => {
    const { content = [], ...rest } = thought;
    const text = { type: 'text', text: 'Hi' };
    says({ ...rest, content: [...(content as Json[]), text] }, 'stop');
    deltas = [thought, { content: 'Hi' }];
    expect((await told()).content).toEqual([{ type: 'thinking', thinking: 'Hm.', signature: '' }, text]);
  });

  it('has no thoughts where nobody wants to see them', async () => {
    says({ reasoning: 'Hm.', content: 'Hi' }, 'stop');
    deltas = [{ reasoning: 'Hm.' }, { content: 'Hi' }];
    const { content } = await told({ thinking: { type: 'adaptive', display: 'omitted' } });
    expect(content).toEqual([{ type: 'text', text: 'Hi' }]);
  });

  it('calls one tool under a name of its own, or says its text in a list of texts', async () => {
    const called = { function_call: named('f', '{"a":1}') };
    says(called, 'function_call');
    deltas = [{ function_call: named('f', '{"a"') }, { function_call: more(':1}') }];
    expect(await told()).toMatchObject({ content: [{ name: 'f', input: { a: 1 } }], stop: 'tool_use' });
    says({ content: ['H', 'i'] }, 'stop');
    deltas = [{ content: ['H', 'i'] }];
    expect((await told()).content).toEqual([{ type: 'text', text: 'Hi' }]);
  });

  it('stops at a sequence of the caller only, and not where it calls tools', async () => {
    const stops = { stop_sequences: ['END'] };
    const ends = async (message: Json, choice: Json) => {
      says(message);
      deltas = [message];
      whole = { ...whole, choice: { finish_reason: 'stop', ...choice } };
      return (await told(stops)).stop;
    };
    const calls = { tool_calls: [{ index: 0, id: 'x', function: named('f', '{}') }] };
    expect([
      await ends({ content: 'Hi' }, { stop_reason: 'END' }),
      await ends({ content: 'Hi' }, { matched_stop: '<|im_end|>' }),
      await ends({ content: 'Hi' }, { finish_reason: 'MAX_TOKENS' }),
      await ends(calls, { stop_reason: 'END' }),
    ]).toEqual(['stop_sequence', 'end_turn', 'max_tokens', 'tool_use']);
  });
});

it('a message is of the model that was asked where its host does not say', async () => {
  says({ content: 'Hi' }, 'stop');
  deltas = [{ content: 'Hi' }];
  const json = (await (await call({})).json()) as Json;
  const events = await (await call({ stream: true })).text();
  expect([json['model'], /"model":"([^"]*)"/.exec(events)?.[1]]).toEqual(['m', 'm']);
});

it('a stream begins with an estimate of its prompt, which Claude Code shows, and ends with what its host counts', async () => {
  says({ content: 'Hi' }, 'stop');
  deltas = [{ content: 'Hi' }];
  const text = await (await call({ stream: true, system: 'word '.repeat(400) })).text();
  const told = text.match(/(?<="input_tokens":)\d+/g);
  expect(told).toEqual([expect.stringMatching(/^5\d\d$/), '3']);
});

it('the prompt of a message is estimated where its host counts nothing, in a stream and without one', async () => {
  says({ content: 'Hi' }, 'stop');
  deltas = [{ content: 'Hi' }];
  usage = {};
  const asked = { system: 'word '.repeat(400) };
  const told = [await (await call(asked)).text(), await (await call({ ...asked, stream: true })).text()];
  const estimate = expect.stringMatching(/^5\d\d$/);
  expect(told.flatMap((text) => text.match(/(?<="input_tokens":)\d+/g))).toEqual([
    estimate,
    estimate,
    estimate,
  ]);
});
