import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { toChatRequest } from './chat-request.ts';

const EDITS = 'context_management.edits[0]';
const CLEAR = 'clear_thinking_20251015';

const thought = (text: string, ...rest: JsonObject[]) => ({
  role: 'assistant',
  content: [{ type: 'thinking', thinking: text, signature: 's' }, { type: 'redacted_thinking' }, ...rest],
});
const says = (text: string) => ({ role: 'user', content: text });
const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: '1' }] };
const CONVERSATION = [
  says('1'),
  thought('a'),
  says('2'),
  thought('b', { type: 'tool_use', id: 't', name: 'f', input: {} }),
  result,
  thought('c', { type: 'text', text: 'Hi' }),
  says('3'),
  { role: 'assistant', content: 'Without one.' },
  says('4'),
  thought('d'),
  says('5'),
];

const asked = (edit: JsonObject) =>
  toChatRequest({ model: 'm', messages: CONVERSATION, context_management: { edits: [edit] } });

describe('the thoughts of a conversation', () => {
  it.each<[unknown, string[]]>([
    ['all', ['a', 'b', 'c', 'd']],
    [{ type: 'all' }, ['a', 'b', 'c', 'd']],
    [{ type: 'thinking_turns', value: 9 }, ['a', 'b', 'c', 'd']],
    [{ type: 'thinking_turns', value: 2 }, ['b', 'c', 'd']],
    [{ type: 'thinking_turns', value: 1 }, ['d']],
    [undefined, ['d']],
  ])('stay in as many of the last turns with some as are asked for: %j', (keep, kept) => {
    const messages = asked({ type: CLEAR, keep })['messages'] as JsonObject[];
    const said = messages.flatMap(({ reasoning_content: text }) => (text === undefined ? [] : [text]));
    expect(said).toEqual(kept);
    expect(messages.map(({ role, tool_calls: calls }) => (calls ? 'calls' : role)).join(' ')).toBe(
      'user assistant user calls tool assistant user assistant user assistant user',
    );
  });

  it.each<[string, JsonObject]>([
    ['', { type: 'compact_20260112' }],
    ['.trigger', { type: CLEAR, trigger: 1 }],
    ['.keep', { type: CLEAR, keep: 1 }],
    ['.keep.type', { type: CLEAR, keep: { type: 'words' } }],
    ['.keep.value', { type: CLEAR, keep: { type: 'thinking_turns' } }],
    ['.keep.value', { type: CLEAR, keep: { type: 'thinking_turns', value: 0 } }],
    ['.keep.value', { type: CLEAR, keep: { type: 'thinking_turns', value: 1.5 } }],
  ])('cannot be edited in another way, which is refused by its name: %s', (path, edit) => {
    expect(() => asked(edit)).toThrow(expect.objectContaining({ param: `${EDITS}${path}` }));
  });
});
