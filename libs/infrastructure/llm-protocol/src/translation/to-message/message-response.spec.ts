import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { ASKED, COUNTS, LONG_NAME, SHORT_NAME, answer, call, usage } from '../../../fixture/chat-answer.ts';
import { toMessageResponse } from './message-response.ts';

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

  it.each<[string, JsonObject]>([
    ['the only call', call('f', '{"a":1}')],
    ['calls by their places', { 0: call('f', '{"a":1}') }],
  ])('has the calls of a host that has an object for them: %s', (_, calls) => {
    const told = toMessageResponse(answer({ tool_calls: calls }, { finish_reason: 'tool_calls' }));
    expect(told).toMatchObject({
      content: [{ type: 'tool_use', id: 'id-f', input: { a: 1 } }],
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
