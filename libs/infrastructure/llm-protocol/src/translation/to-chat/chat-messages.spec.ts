import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { toChatRequest } from './chat-request.ts';

const translated = (messages: JsonObject[], rest: JsonObject = {}) =>
  toChatRequest({ model: 'm', messages, ...rest })['messages'];
const says = (...content: JsonObject[]) => ({ role: 'user', content });
const text = (said: string) => ({ type: 'text', text: said });

describe('what a user shows', () => {
  const found = { type: 'search_result', title: 'Tale', source: 'http://a/b', content: [text('Once.')] };
  const own = (content: unknown, rest: JsonObject = {}) => ({
    type: 'document',
    source: { type: 'content', content },
    ...rest,
  });

  it('is a text below what is said of it: of a search, and of a document of texts', () => {
    const use = { type: 'tool_use', id: 't', name: 'f', input: {} };
    const shown = translated([
      says(
        { ...found, citations: { enabled: false } },
        own([text('a'), text('b')], { title: 'T' }),
        own('c'),
      ),
      { role: 'assistant', content: [use] },
      says({ type: 'tool_result', tool_use_id: 't', content: [found, text('Done.')] }),
    ]) as JsonObject[];
    expect(shown.map(({ role, content }) => [role, content])).toEqual([
      ['user', 'Tale\nhttp://a/b\nOnce.\nT\na\nb\nc'],
      ['assistant', null],
      ['tool', 'Tale\nhttp://a/b\nOnce.\nDone.'],
    ]);
  });

  it.each<[string, JsonObject]>([
    ['.citations', { ...found, citations: { enabled: true } }],
    ['.content[0]', { ...found, content: [{ type: 'image' }] }],
    ['.score', { ...found, score: 1 }],
    ['.source.content[0]', own([{ type: 'image' }])],
    ['.citations', own('c', { citations: { enabled: true } })],
  ])('is refused by its name where it is more than that: %s', (path, part) => {
    expect(() => translated([says(part)])).toThrow(
      expect.objectContaining({ param: `messages[0].content[0]${path}` }),
    );
  });
});

describe('messages of one role in a row', () => {
  const use = (id: string) => ({ type: 'tool_use', id, name: 'f', input: {} });
  const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: `of ${id}` });
  const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
  const answers = (...content: JsonObject[]) => ({ role: 'assistant', content });

  it.each<[string, JsonObject[], JsonObject[]]>([
    [
      'of the user',
      [says(text('Hi')), { role: 'user', content: 'Who?' }],
      [{ role: 'user', content: 'Hi\nWho?' }],
    ],
    [
      'of the assistant',
      [says(text('Hi')), answers(text('Yes.')), { role: 'assistant', content: 'Who?' }, says(text('I'))],
      [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Yes.\nWho?' },
        { role: 'user', content: 'I' },
      ],
    ],
    [
      'with calls, and with their results',
      [
        says(text('Hi')),
        answers(text('Let me see.')),
        answers(use('a')),
        answers(use('b')),
        says(result('a'), text('First.')),
        says(result('b')),
      ],
      [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Let me see.', tool_calls: [call('a'), call('b')] },
        { role: 'tool', tool_call_id: 'a', content: 'of a' },
        { role: 'tool', tool_call_id: 'b', content: 'of b' },
        { role: 'user', content: 'First.' },
      ],
    ],
  ])('are one, as they are to Anthropic: %s', (_, messages, told) => {
    expect(translated(messages)).toEqual(told);
  });

  it('are told apart where something is wrong with one', () => {
    expect(() => translated([says(text('Hi')), says({ type: 'audio' })])).toThrow(
      expect.objectContaining({ param: 'messages[1].content[0]' }),
    );
  });
});

describe('instructions in the middle of a conversation', () => {
  const instruction = (content: string, until: unknown) => ({ role: 'system', content, clear_at: until });

  it('are gone where they hold until the user says something, and the user did', () => {
    const messages = [
      instruction('Always.', 'never'),
      says(text('Hi')),
      instruction('Once.', 'next_user_message'),
      { role: 'assistant', content: 'Hi.' },
      says(text('Go on.')),
      instruction('Now.', 'next_user_message'),
      instruction('Too.', null),
    ];
    expect((translated(messages) as JsonObject[]).map(({ content }) => content)).toEqual([
      'Always.',
      'Hi',
      'Hi.',
      'Go on.',
      'Now.',
      'Too.',
    ]);
  });

  it('are refused where they hold until something else', () => {
    expect(() => translated([instruction('x', 'tomorrow')])).toThrow(
      expect.objectContaining({ param: 'messages[0].clear_at' }),
    );
  });
});

it('an assistant says nothing of what is for Anthropic alone', () => {
  const content = [
    { type: 'thinking', thinking: 'Hm.', signature: 's', cache_control: { type: 'ephemeral' } },
    { type: 'fallback', from: { model: 'a' }, to: { model: 'b' } },
    text('Hi'),
  ];
  const rest = {
    thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } },
    fallback_credit_token: 'x',
    speed: 'standard',
  };
  expect(translated([{ role: 'assistant', content }], rest)).toEqual([
    { role: 'assistant', content: 'Hi', reasoning_content: 'Hm.' },
  ]);
  expect(() => translated([], { speed: 'fast' })).toThrow(expect.objectContaining({ param: 'speed' }));
});
