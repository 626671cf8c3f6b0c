import { describe, expect, it } from '@jest/globals';
import { outlineOf } from './outline.format.ts';

const optionsOf = (text: string) => outlineOf(Buffer.from(`{"model":"m","stream_options":${text}}`));

describe('the options of a stream', () => {
  it.each([
    ['null', false, true],
    ['{}', false, true],
    ['{"include_usage": true}', true, false],
    ['{"include_usage":false}', false, true],
    ['[]', false, false],
    ['true', false, false],
    // Nobody looks into megabytes of them, and nothing of what comes back is taken away.
    [`{"a":"${'x'.repeat(5_000)}"}`, true, false],
  ])('are read where they are short (%#)', (text, wants, lacks) => {
    const { wantsUsage, lacksUsage } = optionsOf(text);
    expect([wantsUsage, lacksUsage]).toEqual([wants, lacks]);
  });
});

it.each([
  ['{"max_tokens":5}', 5],
  ['{"max_tokens":5,"max_completion_tokens":3}', 3],
  ['{"max_tokens":-1,"max_completion_tokens":3}', 3],
  ['{"max_tokens":-1}', Infinity],
  ['{"max_tokens":null}', Infinity],
])('the tokens that a response may have are read: %s', (text, most) => {
  expect(outlineOf(Buffer.from(text)).mostTokens).toBe(most);
});
