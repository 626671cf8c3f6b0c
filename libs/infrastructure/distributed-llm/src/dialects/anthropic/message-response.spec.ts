import { describe, expect, it } from '@jest/globals';
import { SseEvent } from '../../streams/sse-event.ts';
import type { JsonObject } from '../json-value.ts';
import { askedMessage } from './asked-message.ts';
import { toMessageResponse } from './message-response.ts';
import { MessageEvents } from './message-events.ts';
import { chatToolName } from './tool-names.ts';

const usage = { prompt_tokens: 10, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 6 } };
const NOTHING = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};
const COUNTS = { ...NOTHING, input_tokens: 4, output_tokens: 4, cache_read_input_tokens: 6 };
/** Of a tool that OpenAI would refuse for its name. */
const LONG_NAME = `mcp__plugin_${'x'.repeat(80)}`;
/** What the answers are to. */
const ASKED = askedMessage({ tools: [{ name: LONG_NAME }, { name: 'f' }], stop_sequences: ['END'] });
const SHORT_NAME = chatToolName(LONG_NAME) as string;
const answer = (message: JsonObject, rest: JsonObject = { finish_reason: 'stop' }) => ({
  id: 'c1',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, ...rest }],
  usage,
});
const call = (name: string, text: string, rest: JsonObject = {}) => ({
  id: `id-${name}`,
  type: 'function',
  function: { name, arguments: text },
  ...rest,
});

describe('toMessageResponse', () => {
  it('has text, ids and counts as Anthropic has them', () => {
    expect(toMessageResponse(answer({ content: 'Hi' }))).toEqual({
      id: 'msg_c1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'text', text: 'Hi' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: COUNTS,
    });
  });

  it.each<[string, JsonObject]>([
    ['LiteLLM', { cache_creation_input_tokens: 3 }],
    ['OpenRouter', { prompt_tokens_details: { cached_tokens: 6, cache_write_tokens: 3 } }],
  ])('counts apart what went into a cache, where %s says it', (_, rest) => {
    expect(
      toMessageResponse({ ...answer({ content: 'Hi' }), usage: { ...usage, ...rest } })['usage'],
    ).toEqual({
      ...COUNTS,
      input_tokens: 1,
      cache_creation_input_tokens: 3,
    });
  });

  it('has thinking, text and tools in order', () => {
    const message = {
      content: 'Let me see.',
      reasoning: 'Hm.',
      tool_calls: [call('f', '{"a":1}'), call('g', '')],
    };
    expect(toMessageResponse(answer(message, { finish_reason: 'tool_calls' }))).toMatchObject({
      content: [
        { type: 'thinking', thinking: 'Hm.' },
        { type: 'text', text: 'Let me see.' },
        { type: 'tool_use', id: 'id-f', name: 'f', input: { a: 1 } },
        { type: 'tool_use', id: 'id-g', name: 'g', input: {} },
      ],
      stop_reason: 'tool_use',
    });
  });

  it.each<[JsonObject, JsonObject]>([
    [{ finish_reason: 'length' }, { stop_reason: 'max_tokens' }],
    [{ finish_reason: 'model_length' }, { stop_reason: 'max_tokens' }],
    [{ finish_reason: 'content_filter' }, { stop_reason: 'refusal' }],
    [
      { finish_reason: 'stop', stop_reason: 'END' },
      { stop_reason: 'stop_sequence', stop_sequence: 'END' },
    ],
    [
      { finish_reason: 'stop', matched_stop: 'END' },
      { stop_reason: 'stop_sequence', stop_sequence: 'END' },
    ],
    [
      { finish_reason: 'stop', matched_stop: '<|im_end|>' },
      { stop_reason: 'end_turn', stop_sequence: null },
    ],
    [{ finish_reason: 'stop_sequence' }, { stop_reason: 'stop_sequence', stop_sequence: 'END' }],
    [{ finish_reason: 'MAX_TOKENS' }, { stop_reason: 'max_tokens' }],
    [{ finish_reason: 'content_filter: SAFETY' }, { stop_reason: 'refusal' }],
    [{ finish_reason: 'sensitive' }, { stop_reason: 'refusal' }],
    [{ finish_reason: 'IMAGE_SAFETY' }, { stop_reason: 'refusal' }],
    [{ finish_reason: 'repetition' }, { stop_reason: 'max_tokens' }],
    [{ finish_reason: 'time_limit' }, { stop_reason: 'max_tokens' }],
    [{ finish_reason: 'model_context_window_exceeded' }, { stop_reason: 'model_context_window_exceeded' }],
    [
      { finish_reason: 'stop', matched_stop: 151645 },
      { stop_reason: 'end_turn', stop_sequence: null },
    ],
    [
      { finish_reason: 'stop', stop_reason: 128009 },
      { stop_reason: 'end_turn', stop_sequence: null },
    ],
    [{ finish_reason: 'something' }, { stop_reason: 'end_turn' }],
  ])('says why it stopped: %j', (choice, expected) => {
    expect(toMessageResponse(answer({ content: 'Hi' }, choice), ASKED)).toMatchObject(expected);
  });

  const CALLS = { tool_calls: [call('f', '{}')] };
  it.each<[string, JsonObject, string | null | undefined]>([
    ['tool_use', CALLS, 'stop'],
    ['tool_use', CALLS, undefined],
    ['tool_use', CALLS, null],
    ['max_tokens', CALLS, 'length'],
    ['end_turn', { content: 'Hi', tool_calls: [] }, 'tool_calls'],
    ['end_turn', { content: 'Hi' }, 'function_call'],
  ])('is told to go on by whether tools are called: %s, %j, %s', (expected, message, finish) => {
    const choice = finish === undefined ? {} : { finish_reason: finish };
    expect(toMessageResponse(answer(message, choice))['stop_reason']).toBe(expected);
  });

  it('has a number in arguments that no double holds as it is written', () => {
    const message = toMessageResponse(answer({ tool_calls: [call('f', '{"id": 2512292042121000001}')] }));
    expect(JSON.stringify(message)).toContain('"input":{"id":2512292042121000001}');
  });

  it('calls tools as the caller does, however long', () => {
    const message = answer({ tool_calls: [call(SHORT_NAME, '{}'), call('f', '{}'), call('g', '{}')] });
    const { content } = toMessageResponse(message, ASKED);
    expect((content as JsonObject[]).map(({ name }) => name)).toEqual([LONG_NAME, 'f', 'g']);
    expect(SHORT_NAME).toHaveLength(64);
  });

  it('gives calls without an id some that no other response has', () => {
    const ids = [1, 2].flatMap(() => {
      const calls = [call('f', '{}', { id: '' }), call('f', '{}', { id: null })];
      return (toMessageResponse(answer({ tool_calls: calls }))['content'] as JsonObject[]).map(
        ({ id }) => id,
      );
    });
    expect(ids).toEqual(Array(4).fill(expect.stringMatching(/^call_[0-9a-f]{32}$/)));
    expect(new Set(ids).size).toBe(4);
  });

  it('has a refusal as text', () => {
    expect(toMessageResponse(answer({ content: null, refusal: 'No.' }))).toMatchObject({
      content: [{ type: 'text', text: 'No.' }],
      stop_reason: 'refusal',
    });
  });

  it('has the parts of a content that is a list, and arguments that are an object', () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
      { type: 'text', text: 'Hi' },
    ];
    const calls = [{ id: 'i', function: { name: 'f', arguments: { a: 1 } } }];
    expect(toMessageResponse(answer({ content, tool_calls: calls }))['content']).toEqual([
      { type: 'thinking', thinking: 'Hm.', signature: '' },
      { type: 'text', text: 'Hi' },
      { type: 'tool_use', id: 'i', name: 'f', input: { a: 1 } },
    ]);
  });

  it.each([
    { prompt_tokens: '3', completion_tokens: null },
    { prompt_tokens: 1, completion_tokens: -1, prompt_tokens_details: { cached_tokens: 4 } },
  ])('has counts that are some, whatever a host counts: %j', (counted) => {
    const { usage: counts } = toMessageResponse({ ...answer({ content: 'Hi' }), usage: counted });
    expect(counts).toMatchObject({ input_tokens: 0, output_tokens: 0 });
  });

  /** As GitHub Copilot has it. */
  it('is told by several choices together', () => {
    const [text, calls] = [
      answer({ content: 'Let me see.' }),
      answer({ content: null, tool_calls: [call('f', '{}')] }),
    ];
    const choices = [...text.choices, ...calls.choices];
    expect(toMessageResponse({ ...text, choices })).toMatchObject({
      content: [
        { type: 'text', text: 'Let me see.' },
        { type: 'tool_use', id: 'id-f' },
      ],
      stop_reason: 'tool_use',
    });
    const cut = answer({ content: ' And' }, { finish_reason: 'length' });
    expect(toMessageResponse({ choices: [...cut.choices, ...text.choices] })['stop_reason']).toBe(
      'max_tokens',
    );
  });

  it.each([
    { prompt_filter_results: [{ prompt_index: 0 }] },
    { prompt_feedback: { block_reason: 'SAFETY' } },
  ])('is a refusal where a filter has left nothing of it: %j', (filter) => {
    const message = toMessageResponse({ id: 'c1', choices: [], ...filter });
    expect(message).toMatchObject({ content: [], stop_reason: 'refusal' });
  });

  it.each<[string, JsonObject]>([
    ['images', { content: 'Here.', images: [{ image_url: { url: 'data:,' } }] }],
    ['image_url', { content: [{ type: 'text', text: 'Here.' }, { type: 'image_url' }] }],
    ['audio', { content: null, audio: { data: 'AAAA' } }],
  ])('is a fault by name where it shows what no message has room for: %s', (name, message) => {
    expect(() => toMessageResponse(answer(message))).toThrow(`'${name}', which a message has no room for`);
  });

  it('has what was said aloud in words', () => {
    const { content } = toMessageResponse(
      answer({ content: null, audio: { data: 'AAAA', transcript: 'Hi' } }),
    );
    expect(content).toEqual([{ type: 'text', text: 'Hi' }]);
  });

  it('is a fault of the host without a choice, and with arguments that are no JSON', () => {
    expect(() => toMessageResponse({ choices: [] })).toThrow('without a choice');
    expect(() => toMessageResponse(answer({ tool_calls: [call('f', '{"a":')] }))).toThrow('not JSON');
  });
});

describe('MessageEvents', () => {
  const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
    id: 'c1',
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const tool = (index: number, rest: JsonObject) => chunk({ tool_calls: [{ index, ...rest }] });

  function translate(...chunks: JsonObject[]): JsonObject[] {
    const events = new MessageEvents(ASKED);
    const bytes = [...chunks.flatMap((json) => events.take(json)), ...events.end()];
    return bytes.map((raw) => {
      const event = new SseEvent(raw);
      const json = JSON.parse(event.data ?? '') as JsonObject;
      expect(event.type).toBe(json['type']);
      return json;
    });
  }

  it("streams thinking, text and tools in Anthropic's order", () => {
    const events = translate(
      chunk({ role: 'assistant', content: '' }),
      chunk({ reasoning_content: 'Hm.' }),
      chunk({ content: 'Let ' }),
      chunk({ content: 'me see.' }),
      tool(0, call('f', '')),
      tool(0, { function: { arguments: '{"a"' } }),
      tool(0, { function: { arguments: ':1}' } }),
      tool(1, call('g', '{}')),
      chunk({}, 'tool_calls'),
      { choices: [], usage },
    );
    expect(events).toEqual([
      {
        type: 'message_start',
        message: {
          id: 'msg_c1',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: NOTHING,
        },
      },
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'thinking', thinking: '', signature: '' },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Let ' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'me see.' } },
      { type: 'content_block_stop', index: 1 },
      {
        type: 'content_block_start',
        index: 2,
        content_block: { type: 'tool_use', id: 'id-f', name: 'f', input: {} },
      },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"a"' } },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: ':1}' } },
      { type: 'content_block_stop', index: 2 },
      {
        type: 'content_block_start',
        index: 3,
        content_block: { type: 'tool_use', id: 'id-g', name: 'g', input: {} },
      },
      { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '{}' } },
      { type: 'content_block_stop', index: 3 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'tool_use', stop_sequence: null },
        usage: COUNTS,
      },
      { type: 'message_stop' },
    ]);
  });

  const SOURCE = { url: 'https://a.example', title: 'A', content: 'x'.repeat(200) };
  const CITATION = {
    type: 'web_search_result_location',
    url: 'https://a.example',
    title: 'A',
    cited_text: 'x'.repeat(150),
    encrypted_index: '',
  };
  const BARE = { ...CITATION, url: 'https://b.example', title: null, cited_text: '' };

  it('says where it is from, each source once', () => {
    const annotations = [
      { type: 'url_citation', url_citation: SOURCE },
      { type: 'file', file: {} },
    ];
    const citations = ['https://a.example', 'https://b.example'];
    const [{ citations: cited } = {}] = toMessageResponse({
      ...answer({ content: 'Hi', annotations }),
      citations,
    })['content'] as JsonObject[];
    expect(cited).toEqual([CITATION, BARE]);
    const events = translate(
      chunk({ content: 'Hi', annotations }),
      { ...chunk({ content: ' you' }), citations },
      { ...chunk({}, 'stop'), citations },
    );
    expect(events.slice(4, -2)).toEqual([
      { type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation: CITATION } },
      { type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation: BARE } },
      { type: 'content_block_stop', index: 0 },
    ]);
  });

  it('is told by several choices together', () => {
    const of = (index: number, delta: JsonObject, finish: string | null = null) => ({
      id: 'c1',
      choices: [{ index, delta, finish_reason: finish }],
    });
    const events = translate(
      of(0, { content: 'Let me see.' }),
      of(1, { tool_calls: [{ index: 0, ...call('f', '{"a":1}') }] }),
      of(2, { tool_calls: [{ index: 0, ...call('g', '{}') }] }),
      of(0, {}, 'stop'),
      of(1, {}, 'tool_calls'),
    );
    const blocks = events.filter(({ type }) => type === 'content_block_start');
    expect(blocks.map(({ content_block: block }) => block)).toMatchObject([
      { type: 'text' },
      { type: 'tool_use', id: 'id-f' },
      { type: 'tool_use', id: 'id-g' },
    ]);
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });
  });

  it.each<[string, JsonObject]>([
    ['images', { images: [{}] }],
    ['audio', { audio: { data: 'AAAA' } }],
  ])('is a fault by name where it shows what no message has room for: %s', (name, delta) => {
    expect(() => translate(chunk(delta), chunk({}, 'stop'))).toThrow(
      `'${name}', which a message has no room for`,
    );
    const said = [chunk({ audio: { transcript: 'Hi' } }), chunk({ audio: { data: 'AAAA' } })];
    expect(translate(...said)).toHaveLength(6);
  });

  it('begins with the first event of the answer: others come before it under no id', () => {
    const filter = { id: '', model: '', choices: [], prompt_filter_results: [{}] };
    const [start, ...rest] = translate(filter, chunk({ content: 'Hi' }), chunk({}, 'stop'));
    expect(start).toMatchObject({ type: 'message_start', message: { id: 'msg_c1', model: 'm' } });
    expect(rest.filter(({ type }) => type === 'message_start')).toEqual([]);
    expect(translate(filter).map(({ type }) => type)).toEqual([
      'message_start',
      'message_delta',
      'message_stop',
    ]);
  });

  it('has the parts of a content that is a list', () => {
    const parts = (...content: JsonObject[]) => chunk({ content });
    const events = translate(
      parts({ type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] }),
      parts({ type: 'text', text: 'Hi' }),
    );
    expect(events.flatMap(({ delta }) => (delta ? [delta] : []))).toEqual([
      { type: 'thinking_delta', thinking: 'Hm.' },
      { type: 'text_delta', text: 'Hi' },
      { stop_reason: 'end_turn', stop_sequence: null },
    ]);
  });

  it('has a refusal as text, and says that it is one', () => {
    const events = translate(chunk({ refusal: 'No' }), chunk({ refusal: '.' }), chunk({}, 'stop'));
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'refusal' } });
  });

  it('has what a host says in a message where a delta is usual', () => {
    const told = { id: 'c1', choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }] };
    expect(translate(told)).toContainEqual(
      expect.objectContaining({ delta: { type: 'text_delta', text: 'Hi' } }),
    );
  });

  it('has an answer without content', () => {
    expect(translate(chunk({}, 'stop')).map(({ type }) => type)).toEqual([
      'message_start',
      'message_delta',
      'message_stop',
    ]);
  });

  /** An id that the host has not given. */
  const GIVEN = expect.stringMatching(/^call_[0-9a-f]{32}$/);

  const toolsOf = (...chunks: JsonObject[]) => {
    const names: unknown[] = [];
    const inputs: string[] = [];
    for (const { content_block: block, delta } of translate(...chunks) as Record<string, JsonObject>[]) {
      if (block) names.push([block['id'], block['name']]);
      if (block) inputs.push('');
      if (delta?.['partial_json']) inputs.push(`${inputs.pop()}${delta['partial_json'] as string}`);
    }
    return names.map((name, at) => [name, inputs[at]]);
  };

  it('tells tool calls apart by their ids where the host gives all of them one place', () => {
    const other = { ...call('g', '{"b"'), id: 'id-g' };
    const more = { id: 'id-g', function: { arguments: ':2}' } };
    expect(toolsOf(tool(0, call('f', '{}')), tool(0, other), tool(0, more))).toEqual([
      [['id-f', 'f'], '{}'],
      [['id-g', 'g'], '{"b":2}'],
    ]);
  });

  it('gives a tool call an id where the host gives none', () => {
    const first = { function: { name: 'f', arguments: '' } };
    const more = { id: null, function: { name: '', arguments: '{}' } };
    expect(toolsOf(tool(0, { ...first, id: '' }), tool(0, more), tool(1, first))).toEqual([
      [[GIVEN, 'f'], '{}'],
      [[GIVEN, 'f'], ''],
    ]);
  });

  it.each(['', undefined])('tells tool calls apart that have neither a place nor an id: %j', (id) => {
    const whole = (name: string, text: string) => tool(0, { id, function: { name, arguments: text } });
    const calls = [whole('f', '{"a":1}'), whole('f', '{"a":2}'), whole('', '{"a":3}'), whole('g', '{')];
    expect(toolsOf(...calls, whole('g', '"b":"}'), whole('', '{"}'))).toEqual([
      [[GIVEN, 'f'], '{"a":1}'],
      [[GIVEN, 'f'], '{"a":2}'],
      [[GIVEN, 'f'], '{"a":3}'],
      [[GIVEN, 'g'], '{"b":"}{"}'],
    ]);
  });

  it('calls tools as the caller does, however long, also in pieces', () => {
    const more = { function: { arguments: ':1}' } };
    expect(toolsOf(tool(0, call(SHORT_NAME, '{"a"')), tool(0, more), tool(1, call('f', '{}')))).toEqual([
      [[`id-${SHORT_NAME}`, LONG_NAME], '{"a":1}'],
      [['id-f', 'f'], '{}'],
    ]);
  });

  it('has arguments that are an object', () => {
    const whole = { id: 'i', function: { name: 'f', arguments: { a: 1 } } };
    expect(toolsOf(tool(0, whole as JsonObject))).toEqual([[['i', 'f'], '{"a":1}']]);
  });

  it('keeps the pieces of calls apart that come in turns, and tells each as a whole block', () => {
    const pieces = (index: number, text: string) => tool(index, { function: { arguments: text } });
    const calls = [tool(0, call('f', '{"a"')), tool(1, call('g', '')), pieces(0, ':1'), pieces(1, '{"b"')];
    const rest = [pieces(0, '}'), pieces(1, ':2}'), chunk({ content: 'Done.' })];
    expect(toolsOf(...calls, ...rest)).toEqual([
      [['id-f', 'f'], '{"a":1}'],
      [['id-g', 'g'], '{"b":2}'],
      [[undefined, undefined], ''],
    ]);
    const indices = translate(...calls, ...rest).flatMap(({ type, index }) =>
      type === 'content_block_start' || type === 'content_block_stop' ? [index] : [],
    );
    expect(indices).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('tells what is said in the middle of calls behind them', () => {
    const pieces = (index: number, text: string) => tool(index, { function: { arguments: text } });
    const calls = [tool(0, call('f', '{"a"')), chunk({ content: 'So' }), tool(1, call('g', '{'))];
    const rest = [pieces(0, ':1}'), chunk({ content: ' be' }), pieces(1, '}'), chunk({ content: ' it.' })];
    expect(toolsOf(...calls, ...rest)).toEqual([
      [['id-f', 'f'], '{"a":1}'],
      [['id-g', 'g'], '{}'],
      [[undefined, undefined], ''],
    ]);
    const texts = translate(...calls, ...rest, chunk({ content: ' So.' })).flatMap(({ index, delta }) => {
      const { type, text } = (delta ?? {}) as JsonObject;
      return type === 'text_delta' ? [[index, text]] : [];
    });
    expect(texts).toEqual([
      [2, 'So'],
      [2, ' be'],
      [2, ' it.'],
      [2, ' So.'],
    ]);
  });

  it('waits for the name of a call', () => {
    const named = { function: { name: 'f', arguments: '{' } };
    const calls = [tool(0, { id: 'i' }), tool(0, named), tool(0, { function: { arguments: '}' } })];
    expect(toolsOf(...calls)).toEqual([[['i', 'f'], '{}']]);
  });

  it('cannot go back to a tool call that something else has followed', () => {
    const calls = [
      tool(0, call('f', '{}')),
      chunk({ content: 'Hm.' }),
      tool(0, { function: { arguments: '{}' } }),
    ];
    expect(() => translate(...calls)).toThrow('had left');
  });
});
