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
