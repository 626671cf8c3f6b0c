import { describe, expect, it } from '@jest/globals';
import { generate, tokenize } from './generation.ts';

const TEXT = 'one two three four';

describe('generate', () => {
  it('says everything when nothing limits it', () => {
    expect(generate(TEXT, { maxTokens: Infinity, stop: [] })).toEqual({
      text: TEXT,
      tokens: ['one', ' two', ' three', ' four'],
      finishReason: 'stop',
    });
  });

  it.each([
    { maxTokens: 1, text: 'one', finishReason: 'length' },
    { maxTokens: 3, text: 'one two three', finishReason: 'length' },
    { maxTokens: 4, text: TEXT, finishReason: 'stop' },
  ])('keeps to $maxTokens tokens', ({ maxTokens, ...expected }) => {
    expect(generate(TEXT, { maxTokens, stop: [] })).toMatchObject(expected);
  });

  it.each([
    { stop: [' three'], text: 'one two' },
    { stop: ['wo th'], text: 'one t' },
    { stop: ['four', 'two'], text: 'one ' },
    { stop: ['one'], text: '' },
    { stop: ['nowhere'], text: TEXT },
  ])('ends before $stop', ({ stop, text }) => {
    const answer = generate(TEXT, { maxTokens: Infinity, stop });
    expect(answer).toMatchObject({ text, finishReason: 'stop' });
    expect(answer.tokens.join('')).toBe(text);
  });

  it('never writes the stop text that lies behind the token limit', () => {
    expect(generate(TEXT, { maxTokens: 2, stop: ['three'] })).toMatchObject({
      text: 'one two',
      finishReason: 'length',
    });
  });
});

describe('tokenize', () => {
  it.each(['', ' ', 'a', ' a  b\n\nc ', 'naïve 日本語 🎉'])('loses nothing of %j', (text) => {
    expect(tokenize(text).join('')).toBe(text);
  });
});
