import { describe, expect, it } from '@jest/globals';
import {
  cutToLimit,
  measuredLimit,
  specialTokensOf,
  statedLimit,
  tokenTypesOf,
  typesOf,
} from './token-window.ts';

const BERT = { before: [101], after: [102] };
const NONE = { before: [], after: [] };

describe('specialTokensOf', () => {
  it.each([
    ['BERT', [101, 7, 8, 102], [7, 8], BERT],
    ['a closing token only, as T5', [7, 8, 1], [7, 8], { before: [], after: [1] }],
    ['an opening token only, as Llama', [1, 7, 8], [7, 8], { before: [1], after: [] }],
    ['two in front', [1, 2, 7, 3], [7], { before: [1, 2], after: [3] }],
    ['none', [7, 8], [7, 8], NONE],
    ['a tokenizer that changes the text as well', [101, 9, 9, 102], [7, 8], NONE],
  ])('%s', (_, withSpecials, plain, expected) => {
    expect(specialTokensOf(withSpecials, plain)).toEqual(expected);
  });
});

describe('cutToLimit', () => {
  it.each([
    ['what fits stays', [101, 7, 102], 3, BERT, [101, 7, 102]],
    ['the text is cut, its special tokens are not', [101, 1, 2, 3, 4, 102], 4, BERT, [101, 1, 2, 102]],
    ['a model without special tokens is cut at the end', [1, 2, 3, 4], 2, NONE, [1, 2]],
    ['ids that came without special tokens get none', [1, 2, 3, 4, 5], 3, BERT, [1, 2, 3]],
    ['ids with only one of them count as without', [101, 2, 3, 4, 5], 3, BERT, [101, 2, 3]],
    ['there is room for nothing but special tokens', [101, 1, 2, 102], 2, BERT, [101, 102]],
    ['not even for those', [101, 1, 2, 102], 1, BERT, [101]],
  ])('%s', (_, ids, limit, specials, expected) => {
    expect(cutToLimit(ids, limit, specials)).toEqual(expected);
  });
});

describe('cutToLimit on the left', () => {
  it('keeps the end of the text and the special tokens', () => {
    expect(cutToLimit([101, 1, 2, 3, 4, 102], 4, BERT, 'left')).toEqual([101, 3, 4, 102]);
    expect(cutToLimit([1, 2, 3], 2, NONE, 'left')).toEqual([2, 3]);
  });
});

describe('the types of tokens', () => {
  const specials = { before: [2], after: [3] };

  it('are not looked at where all are 0', () => {
    expect(tokenTypesOf([0, 0, 0, 0], specials)).toBeUndefined();
  });

  it.each([
    ['a text with its special tokens', [2, 7, 8, 9, 3], [2, 1, 1, 1, 0]],
    ['the special tokens alone', [2, 3], [2, 0]],
    ['ids that came without', [7, 8], [1, 1]],
    ['one id', [2], [1]],
  ])('of %s', (_, ids, expected) => {
    expect(typesOf(ids, specials, { before: [2], text: 1, after: [0] })).toEqual(expected);
  });

  it('are those of a sample', () => {
    expect(tokenTypesOf([2, 1, 1, 0], specials)).toEqual({ before: [2], text: 1, after: [0] });
  });
});

describe('statedLimit', () => {
  it.each([
    ['the smallest wins', { tokenizer: 512, positions: 256 }, 256],
    [
      'sentence-transformers overrules the others',
      { tokenizer: 512, sentenceTransformers: 768, positions: 512 },
      768,
    ],
    [
      'sentence-transformers without a limit goes as far as the positions',
      { tokenizer: 256, sentenceTransformers: 1e30, positions: 384 },
      384,
    ],
    ['1e30 means unknown', { tokenizer: 1e30, positions: 128 }, 128],
    ['the configuration may lower it', { tokenizer: 512, configured: 64 }, 64],
    ['but not raise it', { tokenizer: 512, configured: 4096 }, 512],
    ['nothing is known', {}, 512],
    ['nothing is known but what the configuration asks for', { configured: 2048 }, 2048],
    ['absurd figures do not count', { tokenizer: 0, positions: -1 }, 512],
  ])('%s', (_, sources, expected) => {
    expect(statedLimit(sources)).toBe(expected);
  });
});

describe('measuredLimit', () => {
  it.each([
    ['the stated limit, with one run, where the graph bears it', 512, 600, 512, 1],
    ['two less where positions start behind the padding id', 514, 512, 512, 10],
    ['the least that is known to run', 512, 4, 4, 10],
  ])('is %s', async (_, stated, bears, expected, mostRuns) => {
    const tried: number[] = [];
    const runs = (tokens: number) => {
      tried.push(tokens);
      return Promise.resolve(tokens <= bears);
    };
    expect(await measuredLimit(stated, 4, runs)).toBe(expected);
    expect(tried.length).toBeLessThanOrEqual(mostRuns);
    expect(Math.max(...tried)).toBe(stated);
  });
});
