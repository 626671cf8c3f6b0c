import { describe, expect, it } from '@jest/globals';
import { isObject, type JsonObject, textOrNone } from '@morgan/foundation';
import {
  ASKED,
  COUNTS,
  LONG_NAME,
  NOTHING,
  SHORT_NAME,
  answer,
  call,
  usage,
} from '../../../fixture/chat-answer.ts';
import { SseEvent } from '../../sse/sse-event.ts';
import { type AskedMessage, askedMessage } from '../asked-message.ts';
import { MessageEvents } from './message-events.ts';
import { toMessageResponse } from './message-response.ts';

describe('MessageEvents', () => {
  const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
    id: 'c1',
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const tool = (index: number, rest: JsonObject) => chunk({ tool_calls: [{ index, ...rest }] });

  const translate = (...chunks: JsonObject[]) => translateFor(ASKED, ...chunks);

  function translateFor(asked: AskedMessage, ...chunks: JsonObject[]): JsonObject[] {
    const events = new MessageEvents(asked);
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

  it.each([7, null, undefined])('goes on with a call whose place only its first delta has: %j', (index) => {
    const first = chunk({ tool_calls: [{ index, ...call('f', '{"a"') }] });
    const more = (text: string) => chunk({ tool_calls: [{ function: { arguments: text } }] });
    const other = chunk({ tool_calls: [{ index: 9, ...call('g', '{') }] });
    expect(toolsOf(first, more(':'), more('1}'), other, more('}'))).toEqual([
      [['id-f', 'f'], '{"a":1}'],
      [['id-g', 'g'], '{}'],
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

  it('takes an object without a field for none where the arguments follow it', () => {
    const inputs = (...pieces: JsonObject[]) =>
      translate(tool(0, call('f', '{}')), ...pieces, chunk({}, 'tool_calls'))
        .filter(({ type }) => type !== 'message_start')
        .flatMap(({ content_block: block, delta }) =>
          [block, delta].filter(isObject).flatMap(({ name, partial_json: json }) => name ?? json ?? []),
        );
    const piece = (json: string) => tool(0, { function: { arguments: json } });
    expect(inputs(piece('{"a"'), piece(':1}'))).toEqual(['f', '{"a"', ':1}']);
    expect(inputs()).toEqual(['f', '{}']);
    // With a name it is another call.
    expect(inputs(tool(0, call('f', '{"a":1}')))).toEqual(['f', '{}', 'f', '{"a":1}']);
  });

  it('writes the line ends within the texts of arguments as JSON has them', () => {
    const said = '{\n"a": "x\n\ty",\n"b": "\\n"}';
    const [head, tail] = [said.slice(0, 9), said.slice(9)];
    const told = translate(tool(0, call('f', head)), tool(0, { function: { arguments: tail } }))
      .flatMap(({ delta }) => (isObject(delta) ? (textOrNone(delta['partial_json']) ?? '') : []))
      .join('');
    const meant = { a: 'x\n\ty', b: '\n' };
    expect(JSON.parse(told)).toEqual(meant);
    const whole = answer({ tool_calls: [call('f', said)] });
    expect(toMessageResponse(whole)['content']).toMatchObject([{ input: meant }]);
  });

  it('waits for the name of a call', () => {
    const named = { function: { name: 'f', arguments: '{' } };
    const calls = [tool(0, { id: 'i' }), tool(0, named), tool(0, { function: { arguments: '}' } })];
    expect(toolsOf(...calls)).toEqual([[['i', 'f'], '{}']]);
  });

  it('tells a tool call by its id also where another one has come since at its place', () => {
    const more = (id: string, text: string) => tool(0, { id, function: { arguments: text } });
    const calls = [
      tool(0, call('f', '{"a"')),
      tool(0, call('g', '{')),
      more('id-f', ':1}'),
      more('id-g', '}'),
    ];
    expect(toolsOf(...calls)).toEqual([
      [['id-f', 'f'], '{"a":1}'],
      [['id-g', 'g'], '{}'],
    ]);
  });

  it.each([
    ['in the middle of its arguments', call('f', '{"a"'), 'not JSON'],
    ['without a name', { id: 'i', function: { arguments: '{}' } }, 'without a name'],
    ['with arguments in no form', call('f', 'nonsense'), 'not JSON'],
  ])('is a fault where a tool call is left %s', (_, left, fault) => {
    expect(() => translate(tool(0, left), chunk({}, 'tool_calls'))).toThrow(fault);
    expect(() => translate(tool(0, left), chunk({}, 'length'))).not.toThrow();
  });

  it('tells of a tool call that its longest cuts no more than there is of it, and of one that waits nothing', () => {
    expect(toolsOf(tool(0, call('f', '{"a"')), tool(1, call('g', '{"b"')), chunk({}, 'length'))).toEqual([
      [['id-f', 'f'], '{"a"'],
    ]);
  });

  it('tells of no arguments that there are none, whatever their form', () => {
    for (const text of ['', '"{}"']) {
      const events = translate(tool(0, call('f', text)));
      expect(events.map(({ type }) => type)).not.toContain('content_block_delta');
    }
    expect(toolsOf(tool(0, call('f', '"{\\"a\\":1}"')))).toEqual([[['id-f', 'f'], '{"a":1}']]);
  });

  it.each([
    ['{"a"', 'max_tokens'],
    ['{}', 'tool_use'],
  ])(
    'says of an answer that has all its tokens, with the call %s at its end, that it ends by %s',
    (text, reason) => {
      const asked = askedMessage({ tools: [{ name: 'f' }], max_tokens: usage.completion_tokens });
      const end = { ...chunk({}, 'tool_calls'), usage };
      expect(translateFor(asked, tool(0, call('f', text)), end).at(-2)).toMatchObject({
        delta: { stop_reason: reason },
      });
    },
  );

  it('has what was asked where the host does not say it, and no thoughts that nobody wants to see', () => {
    const asked = askedMessage({ model: 'asked', thinking: { display: 'omitted' }, prompt_tokens: 7 });
    const said = (delta: JsonObject) => ({ id: 'c1', choices: [{ index: 0, delta }] });
    const events = translateFor(asked, said({ reasoning_content: 'Hm.' }), said({ content: 'Hi' }));
    expect(events[0]).toMatchObject({ message: { model: 'asked', usage: { input_tokens: 7 } } });
    expect(events.flatMap(({ content_block: block }) => (block ? [block] : []))).toEqual([
      { type: 'text', text: '' },
    ]);
  });

  it('passes white space over that belongs to no call', () => {
    expect(toolsOf(tool(0, { function: { arguments: ' ' } }), tool(0, call('f', '{}')))).toEqual([
      [['id-f', 'f'], '{}'],
    ]);
  });

  it('keeps the counts that it has where events without any follow', () => {
    const events = translate(chunk({ content: 'Hi' }), { choices: [], usage }, chunk({}, 'stop'));
    expect(events.at(-2)).toMatchObject({ usage: COUNTS });
  });

  it('begins with the counts of the host where it has them by then', () => {
    const [start] = translate({ ...chunk({ content: 'Hi' }), usage });
    expect(start).toMatchObject({ message: { usage: COUNTS } });
  });

  it('passes over events and choices that say nothing', () => {
    const silent = [
      { id: 'c1', object: 'ping' },
      { id: 'c1', choices: [null, { index: 0 }] },
    ];
    const told = translate(...silent, chunk({ content: 'Hi' }, 'stop'));
    expect(told).toEqual(
      translate(chunk({ content: 'Hi' }, 'stop')).map((event, at) => (at === 0 ? told[0] : event)),
    );
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
