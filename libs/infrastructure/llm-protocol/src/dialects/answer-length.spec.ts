import { expect, it } from '@jest/globals';
import { outcomeOfRefusal } from '@morgan/host-errors';
import { inKnownWords } from './too-long.ts';

const errorWith = (message: string, code?: string) => ({ message, code, type: undefined, status: 400 });
const outcomeOf = (error: ReturnType<typeof errorWith>) =>
  outcomeOfRefusal({ status: 400, error, isJson: true, saysWhen: false });

it.each([
  '`max_tokens` must be less than or equal to `8192`, the maximum value is less than the `context_window`',
  'The maximum tokens you requested exceeds the model limit of 4096.',
  'max_completion_tokens exceeds the maximum of 32768',
  'too many tokens: max tokens must be less than or equal to 4096, received 8000.',
])('an answer that may be too long makes no prompt too long, for clients to shorten: %s', (message) => {
  const error = errorWith(message);
  expect(outcomeOf(error)).toBe('unsupported_by_model');
  expect(inKnownWords(error)).toBe(message);
});

it.each([
  ['input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000', undefined],
  ['`inputs` tokens + `max_new_tokens` must be less than or equal to 4096', undefined],
  ["max_tokens is too large: 9. This model's maximum context length is 8 tokens.", undefined],
  ['max_tokens is too large', 'context_length_exceeded'],
])('both together may be: %s, %s', (message, code) => {
  expect(outcomeOf(errorWith(message, code))).toBe('context_too_long');
});
