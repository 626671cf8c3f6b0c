import { afterEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { type GatewaySettings, type Script, StreamGateway } from '../../fixture/stream-gateway.ts';
import { completionsDialect } from '../dialects/completions.dialect.ts';
import { messagesDialect } from '../dialects/messages.dialect.ts';
import { responsesDialect } from '../dialects/responses.dialect.ts';

/** The events of one host, which names itself in id and model. */
function host(name: string) {
  const event = (choices: object[], rest: object = {}) =>
    `data: ${JSON.stringify({ id: `id-${name}`, created: name.charCodeAt(0), model: `model-${name}`, choices, ...rest })}\n\n`;
  const delta = (value: object, finish: string | null = null) =>
    event([{ index: 0, delta: value, finish_reason: finish }]);
  return {
    role: delta({ role: 'assistant', content: '' }),
    text: (content: string) => delta({ content }),
    delta,
    stop: delta({}, 'stop'),
    usage: (input: number, output: number) =>
      event([], { usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output } }),
    done: 'data: [DONE]\n\n',
  };
}
const [a, b, c] = [host('a'), host('b'), host('c')];

const cut =
  (...events: string[]): Script =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(events.join(''), () => response.destroy());
  };
const whole =
  (...events: string[]): Script =>
  (response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''));

const gateways: StreamGateway[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});

async function answerOf(script: Script, settings: GatewaySettings) {
  const gateway = await StreamGateway.start(script, { wantsUsage: true, ...settings });
  gateways.push(gateway);
  const { text, broken } = await gateway.read();
  const events = text.split('\n\n').filter((event) => event.includes('data: {'));
  const json = events.map((event) => JSON.parse(event.slice(event.indexOf('{'))) as Json);
  return { gateway, text, broken, json, outcome: await gateway.outcome };
}

interface Json {
  readonly id?: string;
  readonly model?: string;
  readonly created?: number;
  readonly type?: string;
  readonly index?: number;
  readonly error?: { readonly message: string };
  readonly usage?: object;
  readonly choices?: readonly {
    readonly delta?: { readonly role?: string; readonly content?: string };
    readonly text?: string;
  }[];
  readonly delta?: { readonly text?: string };
}

const textOf = (json: readonly Json[]) =>
  json
    .map(({ choices, delta }) => choices?.[0]?.delta?.content ?? choices?.[0]?.text ?? delta?.text ?? '')
    .join('');

describe('an interrupted text', () => {
  const begun = cut(a.role, a.text('One '), a.text('two '));

  it('is continued elsewhere without a seam', async () => {
    const rest = whole(b.role, b.text('three'), b.stop, b.usage(12, 1), b.done);
    const { gateway, text, broken, json, outcome } = await answerOf(begun, { others: [['continue', rest]] });
    expect(gateway.asked).toEqual([['continue', 'One two ']]);
    expect(broken).toBe(false);
    expect(textOf(json)).toBe('One two three');
    expect(new Set(json.map(({ id, created }) => `${id} ${created}`))).toEqual(new Set(['id-a 97']));
    expect(json.filter(({ choices }) => choices?.[0]?.delta?.role !== undefined)).toHaveLength(1);
    expect(json.map(({ model }) => model)).toEqual([
      'model-a',
      'model-a',
      'model-a',
      'model-b',
      'model-b',
      'model-b',
    ]);
    expect(text.endsWith(': x-morgan-attempts: 2\n\ndata: [DONE]\n\n')).toBe(true);
    // 10 for the prompt and 2 of the first host, 12 and 1 of the second.
    expect(json.at(-1)?.usage).toEqual({ prompt_tokens: 22, completion_tokens: 3, total_tokens: 25 });
    const usages = [
      { input: 10, output: 2 },
      { input: 12, output: 1 },
    ];
    expect(outcome).toMatchObject({ kind: 'complete', resumes: 1, usages });
  });

  it('keeps its id where the host said something else before, under none', async () => {
    const filter = `data: ${JSON.stringify({ id: '', model: '', choices: [], prompt_filter_results: [{}] })}\n\n`;
    const rest = whole(b.role, b.text('three'), b.stop, b.done);
    const { json } = await answerOf(cut(filter, a.role, a.text('One two ')), {
      others: [['continue', rest]],
    });
    expect(json.map(({ id }) => id)).toEqual(['', ...Array<string>(4).fill('id-a')]);
  });

  const story = cut(a.role, a.text('Once upon '), a.text('a '));
  it.each<[string, string[], string]>([
    ['in the first event', ['Once upon a ', 'time'], 'Once upon a time'],
    ['in pieces', ['Once', ' upon', ' a t', 'ime'], 'Once upon a time'],
    ['in pieces of which some are empty', ['Once', '', ' upon', '', ' a ', '', 'time'], 'Once upon a time'],
    ['and nothing else', ['Once upon a '], 'Once upon a '],
    ['and goes on like it', ['Once upon a ', 'Once upon a ', 'time'], 'Once upon a Once upon a time'],
  ])('is not said twice where who continues it repeats it %s', async (_, pieces, said) => {
    const rest = whole(b.role, ...pieces.map(b.text), b.stop, b.usage(12, 1), b.done);
    const { json, broken, text } = await answerOf(story, { others: [['continue', rest]] });
    expect([textOf(json), broken]).toEqual([said, false]);
    expect(json.filter(({ usage }) => usage)).toHaveLength(1);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it.each<[string, Script, string[], string]>([
    ['ends', story, ['Once u'], 'Once upon a Once u'],
    ['goes on otherwise', story, ['Once', ' more'], 'Once upon a Once more'],
    ['is short', cut(a.role, a.text('ha ')), ['ha ', 'ha'], 'ha ha ha'],
    [
      'is one word again and again',
      cut(a.role, a.text('ha ha ha ha ')),
      ['ha ha ha ha ', 'ha.'],
      'ha ha ha ha ha ha ha ha ha.',
    ],
  ])('keeps what only begins like a repetition and %s', async (_, script, pieces, said) => {
    const rest = whole(b.role, ...pieces.map(b.text), b.stop, b.done);
    const { json, broken } = await answerOf(script, { others: [['continue', rest]] });
    expect([textOf(json), broken]).toEqual([said, false]);
  });

  it('keeps it too where its host says no reason to stop', async () => {
    const { json } = await answerOf(story, { others: [['continue', whole(b.text('Once u'), b.done)]] });
    expect(textOf(json)).toBe('Once upon a Once u');
  });

  it('is started again where nobody continues it, and goes on where it broke off', async () => {
    const again = whole(
      b.role,
      b.text('One'),
      b.text(' two th'),
      b.text('ree'),
      b.stop,
      b.usage(10, 3),
      b.done,
    );
    const { gateway, json, broken } = await answerOf(begun, { others: [['restart', again]] });
    expect(gateway.asked.map(([mode]) => mode)).toEqual(['continue', 'restart']);
    expect(broken).toBe(false);
    expect(textOf(json)).toBe('One two three');
    expect(json.at(-1)?.usage).toEqual({ prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 });
  });

  it('is the same where a host leaves other white space around it', async () => {
    const { text, broken, json } = await answerOf(begun, {
      others: [['restart', whole(b.text('\n\n'), b.text('One'), b.text(' two'), b.stop, b.done)]],
    });
    expect([textOf(json), broken, text.endsWith('[DONE]\n\n')]).toEqual(['One two ', false, true]);
  });

  it.each<[string, Script]>([
    ['says something else', whole(b.role, b.text('One fine day'), b.stop, b.done)],
    ['is shorter', whole(b.role, b.text('One'), b.stop, b.done)],
    ['calls a tool', whole(b.role, b.delta({ tool_calls: [{ index: 0, id: 't' }] }), b.stop, b.done)],
  ])('is an error when the second answer %s', async (_, again) => {
    const { text, broken, json, outcome } = await answerOf(begun, {
      others: [
        ['restart', again],
        ['restart', again],
      ],
    });
    expect(broken).toBe(true);
    expect(text).not.toContain('[DONE]');
    expect(textOf(json)).toBe('One two ');
    expect(json.at(-1)?.error?.message).toBe(
      'The second answer differs from what was already sent of the first.',
    );
    expect(outcome).toMatchObject({ kind: 'failed', fault: { reason: 'diverged' } });
  });

  it('tells what its host has said, where nobody can go on with it', async () => {
    const overloaded = 'data: {"error":{"message":"Overloaded.","type":"overloaded_error"}}\n\n';
    const other = whole(b.role, b.text('One fine day'), b.stop, b.done);
    const { json, broken, outcome } = await answerOf(whole(a.role, a.text('One two '), overloaded), {
      others: [['restart', other]],
    });
    expect([json.at(-1)?.error, broken]).toMatchObject([
      { message: 'Overloaded.', type: 'overloaded_error' },
      true,
    ]);
    expect(outcome).toMatchObject({ fault: { reason: 'diverged' } });
  });

  it('is not asked for elsewhere where its host refuses the rest for what was asked', async () => {
    const filtered = 'data: {"error":{"message":"filtered","code":"content_filter"}}\n\n';
    const { gateway, broken, json } = await answerOf(whole(a.role, a.text('One '), filtered), {
      others: [['continue', whole(b.role, b.text('two'), b.stop, b.done)]],
    });
    expect([gateway.asked, broken, json.at(-1)?.error?.message]).toEqual([[], true, 'filtered']);
  });

  it('is started again when the host that should continue it fails, which nobody sees', async () => {
    const refusal = whole('data: {"error":{"message":"prefix is not supported","code":400}}\n\n');
    const again = whole(b.role, b.text('One two three'), b.stop, b.done);
    const { text, json } = await answerOf(begun, {
      others: [
        ['continue', refusal],
        ['restart', again],
      ],
    });
    expect(textOf(json)).toBe('One two three');
    expect(text).not.toContain('prefix');
  });

  it('is taken up twice at most', async () => {
    const more = [b.text('three '), c.text('four '), a.text('five ')].map(
      (piece) => ['continue', cut(piece)] as const,
    );
    const { gateway, json, broken } = await answerOf(begun, { others: more });
    expect(gateway.asked.map(([, sent]) => sent)).toEqual(['One two ', 'One two three ']);
    expect(textOf(json)).toBe('One two three four ');
    expect(broken).toBe(true);
  });

  it('is an error where there is nowhere to go', async () => {
    const { json, broken } = await answerOf(begun, { others: [] });
    expect(broken).toBe(true);
    expect(json.at(-1)?.error?.message).toBe('The connection to the host broke.');
  });

  it('has its reasoning once', async () => {
    const thought = cut(a.role, a.delta({ reasoning_content: 'Hm. ' }), a.text('One '));
    const again = whole(b.role, b.delta({ reasoning_content: 'Aha. ' }), b.text('One two'), b.stop, b.done);
    const { text, json } = await answerOf(thought, { others: [['restart', again]] });
    expect(textOf(json)).toBe('One two');
    expect(text).toContain('Hm. ');
    expect(text).not.toContain('Aha. ');
  });

  it.each<[string, string[], string[]]>([
    ['is there in parts at its host', ['One '], []],
    ['comes in parts from the other one', [], ['One two']],
    ['is in parts at both', ['One '], ['One ', 'two']],
  ])('is joined where it %s', async (_, ofFirst, ofSecond) => {
    const parts = (text: string) => [{ type: 'text', text }];
    const thought = [{ type: 'thinking', thinking: parts('Hm. ') }];
    const inParts = (of: typeof a, texts: string[], plain: string) => [
      of.role,
      of.delta({ content: thought }),
      ...(texts.length > 0 ? texts.map((text) => of.delta({ content: parts(text) })) : [of.text(plain)]),
    ];
    const again = whole(...inParts(b, ofSecond, 'One two'), b.stop, b.done);
    const { json, broken, text } = await answerOf(cut(...inParts(a, ofFirst, 'One ')), {
      others: [['restart', again]],
    });
    const said = json.map(
      ({ choices }) => choices?.[0]?.delta?.content as string | { text?: string }[] | undefined,
    );
    const told = said.map((each) => (typeof each === 'string' ? each : (each?.[0]?.text ?? '')));
    expect([told.join(''), broken]).toEqual(['One two', false]);
    expect(text.match(/Hm\. /g)).toHaveLength(1);
  });

  it('may end in a tool call, which is told as it comes', async () => {
    const told = Promise.withResolvers<void>();
    const call = (piece: string) =>
      b.delta({ tool_calls: [{ index: 0, id: 't', function: { name: 'f', arguments: piece } }] });
    const rest: Script = async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(b.role + call('{'));
      await told.promise;
      response.end(call('}') + b.stop + b.done);
    };
    const gateway = await StreamGateway.start(cut(a.role, a.text('Let me look at that. ')), {
      others: [['continue', rest]],
    });
    gateways.push(gateway);
    let seen = '';
    for await (const piece of await gateway.open()) {
      seen += String(piece);
      if (seen.includes('"tool_calls"')) told.resolve();
    }
    expect(seen.match(/"tool_calls"/g)).toHaveLength(2);
    expect(seen.endsWith(b.done)).toBe(true);
  });

  it.each([
    ['prompt_tokens', 'completion_tokens'],
    ['input_tokens', 'output_tokens'],
  ])('has the counts of a host that says them beside a choice without text, as %s', async (input, output) => {
    const counts = { [input]: 12, [output]: 1 };
    const last = `data: ${JSON.stringify({ id: 'b', choices: [{ index: 0, delta: { content: '' } }], usage: counts })}\n\n`;
    const { json } = await answerOf(begun, {
      others: [['continue', whole(b.text('three'), b.stop, last, b.done)]],
    });
    expect(json.at(-1)).toMatchObject({ id: 'id-a', usage: { [input]: 22, [output]: 3 } });
  });

  it('is joined in the last event of a host that says text, end and counts at once', async () => {
    const last = `data: ${JSON.stringify({ id: 'b', choices: [{ index: 0, delta: { content: 'three' }, finish_reason: 'length' }], usage: { prompt_tokens: 12, completion_tokens: 1 } })}\n\n`;
    const { json } = await answerOf(begun, { others: [['continue', whole(last, b.done)]] });
    expect(json.at(-1)).toMatchObject({ id: 'id-a', usage: { prompt_tokens: 22, completion_tokens: 3 } });
    expect(textOf(json)).toBe('One two three');
  });
});

describe('a caller who leaves while another host is asked for the rest', () => {
  it('gets nothing of it, and that host is let go', async () => {
    const closed = Promise.withResolvers<void>();
    const rest: Script = async (response) => {
      response.once('close', closed.resolve);
      await gateway.left;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(b.role + b.text('two'));
    };
    const gateway = await StreamGateway.start(cut(a.role, a.text('One ')), { others: [['continue', rest]] });
    gateways.push(gateway);
    const response = await gateway.open();
    await waitFor(() => gateway.asked.length === 1, { what: 'the call to the other host' });
    response.destroy();
    await closed.promise;
    expect(await gateway.outcome).toMatchObject({ kind: 'caller_gone', resumes: 1 });
  });
});

describe('what cannot be joined', () => {
  it.each<[string, Script]>([
    ['a tool call', cut(a.role, a.text('Let me see. '), a.delta({ tool_calls: [{ index: 0, id: 't' }] }))],
    ['a refusal', cut(a.role, a.delta({ refusal: 'I ' }))],
    ['a second choice', cut(a.text('One '), a.text('Un ').replace('"index":0', '"index":1'))],
  ])('is an error: %s', async (_, script) => {
    const { gateway, broken } = await answerOf(script, {
      others: [['continue', whole(b.text('x'), b.stop, b.done)]],
    });
    expect(gateway.asked).toEqual([]);
    expect(broken).toBe(true);
  });

  it('is an error: the probability of half a token', async () => {
    const event = (content: string) =>
      `data: ${JSON.stringify({ id: 'a', choices: [{ index: 0, delta: { content }, logprobs: { content: [{}] } }] })}\n\n`;
    const { json, broken } = await answerOf(cut(event('One'), event(' tw')), {
      others: [['restart', whole(event('One'), event(' two'), event(' three'))]],
    });
    expect(textOf(json)).toBe('One tw');
    expect(broken).toBe(true);
  });

  it('is an error: a response', async () => {
    const delta = 'data: {"type":"response.output_text.delta","sequence_number":1,"delta":"One"}\n\n';
    const { gateway, broken } = await answerOf(cut(delta), {
      dialect: responsesDialect,
      others: [['continue', whole(delta)]],
    });
    expect(gateway.asked).toEqual([]);
    expect(broken).toBe(true);
  });
});

describe('a text completion', () => {
  it('is joined too', async () => {
    const event = (id: string, text: string, finish: string | null = null) =>
      `data: ${JSON.stringify({ id, choices: [{ index: 0, text, logprobs: null, finish_reason: finish }] })}\n\n`;
    const { json, broken } = await answerOf(cut(event('a', 'One '), event('a', 'two ')), {
      dialect: completionsDialect,
      others: [['restart', whole(event('b', 'One tw'), event('b', 'o three'), event('b', '', 'stop'))]],
    });
    expect(broken).toBe(false);
    expect(textOf(json)).toBe('One two three');
    expect(json.every(({ id }) => id === 'a')).toBe(true);
  });
});

describe('a message', () => {
  const event = (json: Json) => `event: ${json.type}\ndata: ${JSON.stringify(json)}\n\n`;
  const block = (index: number, type: string) =>
    event({ type: 'content_block_start', index, content_block: { type } } as Json);
  const text = (index: number, piece: string) =>
    event({ type: 'content_block_delta', index, delta: { type: 'text_delta', text: piece } } as Json);
  const start = (id: string) =>
    event({ type: 'message_start', message: { id, usage: { input_tokens: 10 } } } as Json);
  const ending = [
    event({ type: 'content_block_stop', index: 1 }),
    event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } } as Json),
    event({ type: 'message_stop' }),
  ];

  it('is joined within its block of text, whatever the index of the second one', async () => {
    const thinking = event({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'thinking_delta', thinking: 'Aha' },
    } as Json);
    const stop = event({ type: 'content_block_stop', index: 0 });
    const {
      json,
      broken,
      text: seen,
    } = await answerOf(cut(start('a'), block(0, 'text'), text(0, 'One '), text(0, 'two ')), {
      dialect: messagesDialect,
      others: [
        [
          'restart',
          whole(
            start('b'),
            block(0, 'thinking'),
            thinking,
            stop,
            block(1, 'text'),
            text(1, 'One two three'),
            ...ending,
          ),
        ],
      ],
    });
    expect(broken).toBe(false);
    expect(textOf(json)).toBe('One two three');
    expect(json.map(({ type, index }) => `${type} ${index ?? ''}`.trim())).toEqual([
      'message_start',
      'content_block_start 0',
      'content_block_delta 0',
      'content_block_delta 0',
      'content_block_delta 0',
      'content_block_stop 0',
      'message_delta',
      'message_stop',
    ]);
    expect(json.at(-2)?.usage).toEqual({ input_tokens: 20, output_tokens: 6 });
    expect(seen).not.toContain('Aha');
  });

  const startOf = (index: number, of: object) =>
    event({ type: 'content_block_start', index, content_block: of } as Json);
  const toolUse = [
    startOf(0, { type: 'tool_use', id: 't', name: 'f', input: {} }),
    event({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'input_json_delta', partial_json: '{}' },
    } as Json),
    event({ type: 'content_block_stop', index: 0 }),
  ];

  it.each<[string, string[], string[]]>([
    ['ends', [], []],
    ['calls a tool', toolUse, ['content_block_start 1', 'content_block_delta 1', 'content_block_stop 1']],
    [
      'thinks and calls a tool',
      [
        startOf(0, { type: 'thinking', thinking: 'Hm.' }),
        event({ type: 'content_block_stop', index: 0 }),
        ...toolUse.map((each) => each.replace('"index":0', '"index":1')),
      ],
      ['content_block_start 1', 'content_block_delta 1', 'content_block_stop 1'],
    ],
  ])('has its block of text closed where the second one has no more text and %s', async (_, said, told) => {
    const { json, broken } = await answerOf(cut(start('a'), block(0, 'text'), text(0, 'One')), {
      dialect: messagesDialect,
      others: [['continue', whole(start('b'), ...said, ...ending.slice(1))]],
    });
    expect(broken).toBe(false);
    expect(json.map(({ type, index }) => `${type} ${index ?? ''}`.trim())).toEqual([
      'message_start',
      'content_block_start 0',
      'content_block_delta 0',
      'content_block_stop 0',
      ...told,
      'message_delta',
      'message_stop',
    ]);
  });

  it('is joined also where the last that was said is that its host is there', async () => {
    const ping = event({ type: 'ping' });
    const again = whole(start('b'), block(0, 'text'), text(0, 'One two'), ...ending);
    const { json, broken } = await answerOf(cut(start('a'), block(0, 'text'), text(0, 'One '), ping), {
      dialect: messagesDialect,
      others: [['restart', again]],
    });
    expect([textOf(json), broken]).toEqual(['One two', false]);
  });
});
