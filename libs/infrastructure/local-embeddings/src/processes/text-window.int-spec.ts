import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openTokenizer } from '../model/open-model.ts';
import type { TextTokenizer } from '../model/tokenizer/text-tokenizer.ts';
import { readablePart, NoWindowError, tokenWindow } from './text-window.ts';

const BUNDLED = join(import.meta.dirname, '../../../../../dist/models/universal-sentence-encoder-lite');
const REFERENCES = join(import.meta.dirname, '../../fixture/reference-models');
const OPTIONS = { backend: 'auto', device: 'cpu', dtype: 'auto', threads: 1 } as const;

const tokenizers = new Map<string, TextTokenizer>();
beforeAll(async () => {
  tokenizers.set('unigram without any split into words', (await openTokenizer(BUNDLED, OPTIONS)).tokenizer);
  for (const [kind, name] of [
    ['WordPiece', 'bert-mean'],
    ['byte-level BPE', 'roberta'],
    ['Unigram', 'xlm-roberta'],
    ['BPE without any split into words', 'llama'],
    ['Unigram that normalises much', 'deberta-v2'],
  ] as const)
    tokenizers.set(kind, (await openTokenizer(join(REFERENCES, name), OPTIONS)).tokenizer);
});

/** Texts that are longer than what is tokenised first: words, words without spaces, other scripts, noise. */
const piece = fc.oneof(
  fc.constantFrom(
    'the',
    'quick',
    'brown',
    'internationalization',
    'red',
    'green',
    'tea',
    '1234567890',
    'https://',
  ),
  fc.constantFrom('a', 'é', 'ß', '😀', '漢', 'ﬁ', '½', '▁', '\u0301', '\u200d', '\n', '.', '-'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
);
const text = fc
  .tuple(
    fc.array(piece, { minLength: 1, maxLength: 60 }),
    fc.constantFrom('', ' ', '  ', '\t'),
    fc.integer({ min: 1, max: 80 }),
  )
  .map(([pieces, between, times]) => Array.from({ length: times }, () => pieces.join(between)).join(between));

/** Words of letters that normalising makes shorter or longer, long enough for WordPiece to give up on some. */
const word = fc
  .array(fc.constantFrom('a', 'b', 'é', 'é\u0301', 'ß\u0308', 'ﬁ', 'red', '漢', '-'), {
    minLength: 20,
    maxLength: 150,
  })
  .map((letters) => letters.join(''));
const wordsInARow = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 12 }), fc.constantFrom('', 'e\u0301\u0302', ' '))
  .map(([words, between]) => words.join(between));

describe('the window of a text', () => {
  it.each([
    'unigram without any split into words',
    'WordPiece',
    'byte-level BPE',
    'Unigram',
    'BPE without any split into words',
    'Unigram that normalises much',
  ])('is that of its whole, with a tokenizer of the kind %s', async (kind) => {
    const tokenizer = tokenizers.get(kind) as TextTokenizer;
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, wordsInARow), fc.constantFrom(8, 32, 128), async (whole, limit) => {
        const [row = { ids: [] }] = await tokenizer.tokenize([whole]);
        const window = tokenWindow(readablePart(whole, limit, 'right'), limit, tokenizer);
        const found = await window.catch((error: unknown) => error);
        if (found instanceof NoWindowError) return;
        expect(found).toEqual({ row: tokenizer.cut(row, limit), truncated: row.ids.length > limit });
      }),
      { numRuns: 500, seed: 7 },
    );
  });

  it('never has a part of a word that WordPiece gives up on', async () => {
    const tokenizer = tokenizers.get('WordPiece') as TextTokenizer;
    // The first 128 characters are 85 letters without their marks: a word of ordinary length, if nothing came behind it.
    const whole = 'bb\u0301'.repeat(500);
    const [row = { ids: [] }] = await tokenizer.tokenize([whole]);
    expect(row.ids).toHaveLength(3);
    expect((await tokenWindow(readablePart(whole, 8, 'right'), 8, tokenizer)).row.ids).toEqual(row.ids);
  });
});
