import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import { SseEvent } from '../sse/sse-event.ts';
import type { DialectName, EventReading } from './dialect.ts';
import { dialectOf, DIALECTS } from './dialect-of.ts';
import { EventReader, readBody } from './event-reader.ts';

function read(name: DialectName, json: object | string): EventReading {
  const data = typeof json === 'string' ? json : JSON.stringify(json);
  return new EventReader(DIALECTS[name]).read(new SseEvent(Buffer.from(`data: ${data}\n\n`)));
}

const delta = (value: object, rest: object = {}) => ({
  id: 'c1',
  model: 'm',
  choices: [{ index: 0, delta: value, finish_reason: null, ...rest }],
});
const usage = { prompt_tokens: 3, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 2 } };

describe('chat', () => {
  it.each<[string, object, Partial<EventReading>]>([
    ['text', delta({ content: 'Hi' }), { content: 'text', text: 'Hi', id: 'c1', model: 'm' }],
    ['blank text', delta({ content: '\n' }), { content: 'text', text: '\n' }],
    ['the role', delta({ role: 'assistant', content: '' }), { content: undefined }],
    ['no text', delta({ content: null }), { content: undefined }],
    ['reasoning of DeepSeek', delta({ reasoning_content: 'Hm' }), { content: 'reasoning', text: '' }],
    ['reasoning of vLLM', delta({ reasoning: 'Hm' }), { content: 'reasoning' }],
    ['a thought', delta({ thought: 'Hm' }), { content: 'reasoning' }],
    ['reasoning in an object', delta({ reasoning: { content: 'Hm' } }), { content: 'reasoning' }],
    ['no reasoning in an object', delta({ thinking: { content: '' } }), { content: undefined }],
    ['a call without a list', delta({ tool_calls: { id: 'a', function: {} } }), { content: 'tool' }],
    ['calls by their places', delta({ tool_calls: { 0: { id: 'a' } } }), { content: 'tool' }],
    ['no calls by their places', delta({ tool_calls: {} }), { content: undefined }],
    ['reasoning of OpenRouter', delta({ reasoning_details: [{ type: 'x' }] }), { content: 'reasoning' }],
    ['reasoning of LiteLLM', delta({ thinking_blocks: [{}], content: '' }), { content: 'reasoning' }],
    ['no reasoning', delta({ reasoning: '', reasoning_details: [] }), { content: undefined }],
    ['images', delta({ images: [{ type: 'image_url' }] }), { content: 'other' }],
    ['a message in place of a delta', { choices: [{ message: { content: 'Hi' } }] }, { content: 'other' }],
    ['a message without a word', { choices: [{ message: { content: '' } }] }, { content: undefined }],
    ['a text in place of a delta', { choices: [{ text: 'Hi' }] }, { content: 'other', text: '' }],
    ['no end, said as a text', delta({ content: 'Hi' }, { finish_reason: 'null' }), { finished: 0 }],
    ['thoughts of Mistral', delta({ content: [{ type: 'thinking' }] }), { content: 'reasoning', text: '' }],
    [
      'a text in parts',
      delta({ content: [{ type: 'thinking' }, { type: 'text', text: 'H' }, { type: 'text', text: 'i' }] }),
      { content: 'text', text: 'Hi' },
    ],
    [
      'a text in parts of another choice',
      delta({ content: [{ type: 'text', text: 'Hi' }] }, { index: 1 }),
      { content: 'other', text: '' },
    ],
    ['a part without text', delta({ content: [{ type: 'text', text: '' }] }), { content: undefined }],
    [
      'other parts',
      delta({ content: [{ type: 'text', text: 'Hi' }, { type: 'image_url' }] }),
      { content: 'other' },
    ],
    [
      'a tool call',
      delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f' } }] }),
      { content: 'tool' },
    ],
    ['an empty list of tool calls', delta({ tool_calls: [] }), { content: undefined }],
    ['a call of old', delta({ function_call: { name: 'f' } }), { content: 'tool' }],
    ['a refusal', delta({ refusal: 'No' }), { content: 'other' }],
    ['another choice', delta({ content: 'Hi' }, { index: 1 }), { content: 'other', text: '' }],
    ['the end of a choice', delta({}, { finish_reason: 'stop' }), { finished: 1, finishReason: 'stop' }],
    [
      'text, end and counts in one, as of llama.cpp and Mistral',
      { ...delta({ content: 'Hi' }, { finish_reason: 'length' }), usage },
      { content: 'text', finished: 1, usage: { input: 3, output: 4, cachedInput: 2 }, isUsageOnly: false },
    ],
    ['counts only', { id: 'c1', choices: [], usage }, { isUsageOnly: true, finished: 0 }],
    ['counts in a choice', delta({}, { usage }), { usage: { input: 3, output: 4, cachedInput: 2 } }],
    [
      'counts of Groq',
      { ...delta({}), x_groq: { usage } },
      { usage: { input: 3, output: 4, cachedInput: 2 } },
    ],
    ['no counts', { ...delta({ content: 'a' }), usage: null }, { usage: undefined }],
    [
      "Azure's filter results",
      { choices: [], prompt_filter_results: [] },
      { isUsageOnly: false, isMalformed: false },
    ],
    ['two ends', { choices: [{ finish_reason: 'stop' }, { finish_reason: 'stop' }] }, { finished: 2 }],
    [
      'an error',
      { error: { message: 'x', code: 500 } },
      { content: undefined, error: expect.anything() as never },
    ],
  ])('reads %s', (_, json, expected) => {
    expect(read('chat', json)).toMatchObject(expected);
  });

  it.each<[string, object, object]>([
    ['what was thought, of xAI and Google', { total_tokens: 20 }, { output: 17 }],
    ['nothing but what was said', { total_tokens: 7 }, { output: 4 }],
    ['no more than was said, where the total is none', { total_tokens: 1 }, { output: 4 }],
    ['no tokens of a cache', { total_tokens: 12, cached_tokens: 5 }, { output: 4, cachedInput: 5 }],
    ['what came from a cache, of Moonshot', { cached_tokens: 2 }, { cachedInput: 2 }],
    ['what came from a cache, of DeepSeek', { prompt_cache_hit_tokens: 2 }, { cachedInput: 2 }],
    [
      'what OpenAI says of its cache',
      { cached_tokens: 2, prompt_tokens_details: { cached_tokens: 0 } },
      { cachedInput: 0 },
    ],
  ])('counts %s', (_, counted, expected) => {
    const told = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4, ...counted } };
    expect(read('chat', told).usage).toEqual({ input: 3, output: 4, ...expected });
  });

  it.each<[string, object, object]>([
    ['alone (mlx-vlm)', { total_tokens: 16 }, { input: 11, output: 5 }],
    [
      'with what was thought and a cache',
      { total_tokens: 18, input_tokens_details: { cached_tokens: 4 } },
      { input: 11, output: 7, cachedInput: 4 },
    ],
    ['beside those of completions', { prompt_tokens: 3, completion_tokens: 4 }, { input: 3, output: 4 }],
  ])('counts in the words of responses, %s', (_, counted, expected) => {
    const told = { choices: [], usage: { input_tokens: 11, output_tokens: 5, ...counted } };
    expect(read('chat', told).usage).toEqual(expected);
  });

  it.each([-1, 1.5, 1e300, '3', null])('takes %p for no count', (count) => {
    const broken = { prompt_tokens: count, completion_tokens: 4 };
    expect(read('chat', { choices: [], usage: broken }).usage).toEqual({ output: 4 });
  });

  it.each(['{"choices":[', 'oops', '[]', '3', 'null'])('calls %s malformed', (data) => {
    expect(read('chat', data)).toMatchObject({ isMalformed: true });
  });

  it('knows the end, also with spaces, and that comments say nothing', () => {
    expect(read('chat', '[DONE]')).toMatchObject({ isEnd: true });
    expect(read('chat', ' [DONE] ')).toMatchObject({ isEnd: true });
    expect(read('chat', '"[DONE]"')).toMatchObject({ isEnd: true });
    expect(read('chat', '[done]')).toMatchObject({ isEnd: true });
    expect(new EventReader(DIALECTS.chat).read(new SseEvent(Buffer.from(': ping\n\n')))).toMatchObject({
      isMalformed: false,
      content: undefined,
    });
  });
});

describe('completions', () => {
  const choice = (text: string, rest: object = {}) => ({
    choices: [{ index: 0, text, finish_reason: null, ...rest }],
  });

  it('reads text, ends and counts', () => {
    expect(read('completions', choice('Hi'))).toMatchObject({ content: 'text', text: 'Hi' });
    expect(read('completions', choice('Hi', { index: 2 }))).toMatchObject({ content: 'other', text: '' });
    expect(read('completions', choice('', { finish_reason: 'stop' }))).toMatchObject({
      content: undefined,
      finished: 1,
    });
    expect(read('completions', { choices: [], usage })).toMatchObject({ isUsageOnly: true });
  });
});

describe('responses', () => {
  it.each<[string, object, Partial<EventReading>]>([
    [
      'created',
      { type: 'response.created', response: { id: 'r', model: 'm' } },
      { id: 'r', content: undefined },
    ],
    [
      'text',
      { type: 'response.output_text.delta', output_index: 0, delta: 'Hi', sequence_number: 4 },
      { content: 'text', text: 'Hi', sequence: 4 },
    ],
    ['reasoning', { type: 'response.reasoning_text.delta', delta: 'Hm' }, { content: 'reasoning' }],
    [
      'a tool call',
      { type: 'response.output_item.added', item: { type: 'function_call' } },
      { content: 'tool' },
    ],
    ['a message', { type: 'response.output_item.added', item: { type: 'message' } }, { content: undefined }],
    ['arguments', { type: 'response.function_call_arguments.delta', delta: '{' }, { content: 'tool' }],
    ['a refusal', { type: 'response.refusal.delta', delta: 'No' }, { content: 'other' }],
    [
      'the end',
      {
        type: 'response.completed',
        response: { status: 'completed', usage: { input_tokens: 1, output_tokens: 2 } },
      },
      { isEnd: true, finished: 1, usage: { input: 1, output: 2 } },
    ],
    ['an early end', { type: 'response.incomplete', response: { status: 'incomplete' } }, { isEnd: true }],
    [
      'a failure',
      { type: 'response.failed', response: { error: { code: 'server_error', message: 'x' } } },
      { isEnd: false, error: expect.objectContaining({ status: 500 }) as never },
    ],
  ])('reads %s', (_, json, expected) => {
    expect(read('responses', json)).toMatchObject(expected);
  });
});

describe('messages', () => {
  it.each<[string, object, Partial<EventReading>]>([
    [
      'the start',
      {
        type: 'message_start',
        message: { id: 'a', model: 'm', usage: { input_tokens: 3, cache_read_input_tokens: 2 } },
      },
      { id: 'a', model: 'm', content: undefined, usage: { input: 5, cachedInput: 2 } },
    ],
    ['a ping', { type: 'ping' }, { content: undefined, isMalformed: false }],
    [
      'text',
      { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hi' } },
      { content: 'text', text: 'Hi' },
    ],
    [
      'a block of text',
      { type: 'content_block_start', content_block: { type: 'text' } },
      { content: undefined },
    ],
    ['a tool', { type: 'content_block_start', content_block: { type: 'tool_use' } }, { content: 'tool' }],
    [
      'what is neither text nor thought',
      { type: 'content_block_start', content_block: { type: 'web_search_tool_result', content: [] } },
      { content: 'other' },
    ],
    [
      'thinking',
      { type: 'content_block_delta', delta: { type: 'thinking_delta', thinking: 'H' } },
      { content: 'reasoning' },
    ],
    [
      'input',
      { type: 'content_block_delta', delta: { type: 'input_json_delta', partial_json: '{' } },
      { content: 'tool' },
    ],
    [
      'a signature',
      { type: 'content_block_delta', delta: { type: 'signature_delta', signature: 'x' } },
      { content: undefined },
    ],
    [
      'the stop reason',
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } },
      { finished: 1, finishReason: 'end_turn', usage: { output: 9 }, isEnd: false },
    ],
    [
      'the end of a stream that has counted its prompt at its start',
      { type: 'message_delta', delta: {}, usage: { input_tokens: 0, output_tokens: 9 } },
      { usage: { output: 9 } },
    ],
    ['the end', { type: 'message_stop' }, { isEnd: true }],
  ])('reads %s', (_, json, expected) => {
    expect(read('messages', json)).toMatchObject(expected);
  });
});

describe('plain', () => {
  it('takes any data for content', () => {
    expect(read('plain', { results: [], usage: { input_tokens: 1, output_tokens: 2 } })).toMatchObject({
      content: 'other',
      usage: { input: 1, output: 2 },
    });
  });
});

describe('every dialect', () => {
  const error: ReportedError = {
    status: 503,
    type: 'server_error',
    code: 'host_error',
    message: 'It broke.',
  };
  const names = Object.keys(DIALECTS) as DialectName[];

  it.each(names)('reads its own error event and body: %s', (name) => {
    const dialect = DIALECTS[name];
    const event = new SseEvent(dialect.errorEvent(error, 7));
    expect(new EventReader(dialect).read(event)).toMatchObject({ error: { message: 'It broke.' } });
    expect(readBody(dialect, Buffer.from(JSON.stringify(dialect.errorBody(error))))).toMatchObject({
      error: { message: 'It broke.' },
    });
  });

  it.each(names)('reads its own end marker: %s', (name) => {
    const { endMarker } = DIALECTS[name];
    if (endMarker) expect(read(name, new SseEvent(endMarker).data ?? '')).toMatchObject({ isEnd: true });
  });

  it('tells a whole answer as events, also one that has the form of an event itself', () => {
    for (const field of ['message', 'delta']) {
      const choice = { index: 0, [field]: { content: 'hello' }, finish_reason: 'stop' };
      const told = DIALECTS.chat.eventsOf?.({ id: 'c1', choices: [choice] });
      expect(told).toMatchObject([
        { choices: [{ delta: { content: 'hello' } }] },
        { choices: [{ finish_reason: 'stop' }] },
      ]);
    }
  });

  it('says what official clients look for', () => {
    const dataOf = (name: DialectName) =>
      JSON.parse(new SseEvent(DIALECTS[name].errorEvent(error, 7)).data ?? '') as JsonObject;
    expect(dataOf('chat')).toEqual({
      error: { message: 'It broke.', type: 'server_error', param: null, code: 'host_error' },
    });
    expect(dataOf('responses')).toMatchObject({
      type: 'error',
      sequence_number: 7,
      error: { code: 'host_error' },
    });
    expect(dataOf('messages')).toEqual({
      type: 'error',
      error: { type: 'overloaded_error', message: 'It broke.' },
    });
    expect(new SseEvent(DIALECTS.messages.errorEvent(error, 7)).type).toBe('error');
  });

  it('is found by its path', () => {
    expect(dialectOf('/chat/completions').name).toBe('chat');
    expect(dialectOf('/rerank').name).toBe('plain');
  });

  const NO_WORDS = 'The host gave no answer, and did not say why.';

  it.each<[string, object, string | undefined]>([
    ['chat', { code: 200, success: false, message: 'no quota' }, 'no quota'],
    ['chat', { code: 0, msg: 'no permission', data: null }, 'no permission'],
    ['chat', { code: 0, msg: 'success', data: null }, NO_WORDS],
    ['chat', { success: true, data: { choices: [{}] } }, NO_WORDS],
    ['responses', { choices: [{ message: {} }] }, 'No such path at the host: it answered in another API.'],
    ['responses', { id: 'r', object: 'response' }, undefined],
    ['messages', { content: 'Hi' }, undefined],
  ])('reads why a %s has no answer: %j', (name, json, message) => {
    const body = Buffer.from(JSON.stringify(json));
    expect(readBody(DIALECTS[name as keyof typeof DIALECTS], body)?.error?.message).toBe(message);
  });

  it('reads JSON answers, and nothing from what is none', () => {
    const body = { id: 'c', model: 'm', choices: [{ message: { content: 'a' } }], usage };
    expect(readBody(DIALECTS.chat, Buffer.from(JSON.stringify(body)))).toEqual({
      error: undefined,
      id: 'c',
      model: 'm',
      usage: { input: 3, output: 4, cachedInput: 2 },
    });
    expect(readBody(DIALECTS.chat, Buffer.from('{"id":"c","model":"m"}'))?.error).toBeDefined();
    expect(readBody(DIALECTS.chat, Buffer.from('<html>'))).toBeUndefined();
    expect(readBody(DIALECTS.chat, Buffer.from('[]'))).toBeUndefined();
    expect(readBody(DIALECTS.chat, Buffer.from('{"choices":[]}'))?.error).toBeDefined();
    const silent = { message: { role: 'assistant', content: '' }, finish_reason: 'stop' };
    const told = (choice: object, output: number) =>
      readBody(
        DIALECTS.chat,
        Buffer.from(JSON.stringify({ choices: [choice], usage: { completion_tokens: output } })),
      )?.error;
    expect(told(silent, 0)).toBeDefined();
    expect(told(silent, 1)).toBeUndefined();
    expect(told({ ...silent, finish_reason: 'length' }, 0)).toBeUndefined();
    expect(told({ ...silent, message: { reasoning_content: 'Hm' } }, 0)).toBeUndefined();
    expect(told({ ...silent, message: { content: null, tool_calls: [{}] } }, 0)).toBeUndefined();
    expect(
      readBody(DIALECTS.chat, Buffer.from('{"choices":[],"prompt_filter_results":[]}'))?.error,
    ).toBeUndefined();
    expect(readBody(DIALECTS.messages, Buffer.from('{"content":[]}'))?.error).toBeUndefined();
    for (const name of ['messages', 'responses'] as const)
      expect(readBody(DIALECTS[name], Buffer.from('{}'))?.error).toBeDefined();
    expect(readBody(dialectOf('/pooling'), Buffer.from('{}'))?.error).toBeUndefined();
    expect(readBody(dialectOf('/embeddings'), Buffer.from('{"code":7,"message":"no"}'))?.error).toMatchObject(
      {
        message: 'no',
      },
    );
    expect(readBody(dialectOf('/embeddings'), Buffer.from('{"data":[]}'))?.error).toBeDefined();
    expect(readBody(dialectOf('/embeddings'), Buffer.from('{"embeddings":[[1]]}'))?.error).toBeUndefined();
    expect(readBody(DIALECTS.chat, Buffer.from('{"object":"chat.completion"}'))?.error).toMatchObject({
      message: expect.stringContaining('no answer'),
    });
  });
});
