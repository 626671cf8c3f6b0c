import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { writeTinyBert } from '../fixture/tiny-bert.ts';
import { openTokenizer } from './model/open-model.ts';
import type { TextTokenizer } from './model/text-tokenizer.ts';
import { readablePart, SparseTextError, tokenWindow } from './text-window.ts';

const BUNDLED = join(import.meta.dirname, '../../../../dist/models/universal-sentence-encoder-lite');
const OPTIONS = { backend: 'auto', device: 'cpu', dtype: 'auto', threads: 1 } as const;

let folder: string;
const tokenizers = new Map<string, TextTokenizer>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-window-'));
  await writeTinyBert(folder);
  tokenizers.set('unigram without any split into words', await openTokenizer(BUNDLED, OPTIONS));
  tokenizers.set('WordPiece', await openTokenizer(folder, OPTIONS));
});
afterAll(() => rm(folder, { recursive: true }));

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

describe('the window of a text', () => {
  it.each(['unigram without any split into words', 'WordPiece'])(
    'is that of its whole, with a tokenizer of the kind %s',
    async (kind) => {
      const tokenizer = tokenizers.get(kind) as TextTokenizer;
      await fc.assert(
        fc.asyncProperty(text, fc.constantFrom(8, 32, 128), async (whole, limit) => {
          const [row = { ids: [] }] = await tokenizer.tokenize([whole]);
          const window = tokenWindow(readablePart(whole, limit, 'right'), limit, tokenizer);
          const found = await window.catch((error: unknown) => error);
          if (found instanceof SparseTextError) return;
          expect(found).toEqual({ row: tokenizer.cut(row, limit), truncated: row.ids.length > limit });
        }),
        { numRuns: 300, seed: 7 },
      );
    },
  );
});
