import { describe, expect, it } from '@jest/globals';
import { cutToLimit, specialTokensOf, tokenLimit } from './token-window.ts';

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

describe('tokenLimit', () => {
  it.each([
    ['the smallest wins', { tokenizer: 512, sentenceTransformers: 256, positions: 512 }, 256],
    ['1e30 means unknown', { tokenizer: 1e30, positions: 128 }, 128],
    ['RoBERTa never uses its first positions', { tokenizer: 1e30, positions: 514, positionOffset: 2 }, 512],
    ['the configuration may lower it', { tokenizer: 512, configured: 64 }, 64],
    ['but not raise it', { tokenizer: 512, configured: 4096 }, 512],
    ['nothing is known', {}, 512],
    ['absurd figures do not count', { tokenizer: 0, positions: -1 }, 512],
  ])('%s', (_, sources, expected) => {
    expect(tokenLimit(sources)).toBe(expected);
  });
});
