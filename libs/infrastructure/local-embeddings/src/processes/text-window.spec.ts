import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PromptChoice, TokenRow } from '../model/embedding-model.types.ts';
import type { CutSide } from './process-protocol.ts';
import {
  readableCharacters,
  readablePart,
  shortWindows,
  significantPart,
  NoWindowError,
  textWindows,
  tokenWindow,
} from './text-window.ts';

/** Words are tokens, and long ones are cut into pieces of 5 from their start: what stands behind a cut changes its piece. */
function tokenizerOf(cutSide: CutSide) {
  let characters = 0;
  return {
    settings: { cutSide },
    /** Of each call. */
    calls: [] as (readonly string[])[],
    get characters() {
      return characters;
    },
    tokenize(texts: readonly string[], { prompt = '' }: PromptChoice = {}) {
      this.calls.push(texts);
      const idOf = (piece: string) =>
        [...piece].reduce((sum, each) => sum * 31 + (each.codePointAt(0) ?? 0), 7);
      const rows = texts.map((text) => {
        characters += text.length;
        const pieces = (prompt + text).split(/\s+/).flatMap((word) => word.match(/.{1,5}/gsu) ?? []);
        return { ids: [1, ...pieces.map(idOf)] };
      });
      return Promise.resolve(rows);
    },
    cut: ({ ids }: TokenRow, limit: number) => ({
      ids: cutSide === 'right' ? ids.slice(0, limit) : [1, ...ids.slice(1).slice(-(limit - 1))],
    }),
  };
}

const LIMIT = 16;
const windowOf = (text: string, side: CutSide = 'right') =>
  tokenWindow(readablePart(text, LIMIT, side), LIMIT, tokenizerOf(side));

describe('tokenWindow', () => {
  it('gives what the whole text would give, cut', async () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    const texts = fc.array(fc.tuple(word, fc.constantFrom(' ', '  ', '\n', '\t ')), { maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(texts, async (parts) => {
        const text = parts.flat().join('');
        const tokenizer = tokenizerOf('right');
        const [whole = { ids: [] }] = await tokenizer.tokenize([text]);
        const expected = { row: tokenizer.cut(whole, LIMIT), truncated: whole.ids.length > LIMIT };
        expect(await windowOf(text)).toEqual(expected);
      }),
    );
  });

  it('is not misled by a token that reaches across spaces', async () => {
    const phrase = `${'a '.repeat(30)}b`;
    const tokenize = (texts: readonly string[]) =>
      Promise.resolve(
        texts.map((text) => ({
          ids: text.split(phrase).flatMap((part, at) => [
            ...(at > 0 ? [7] : []),
            ...part
              .split(/\s+/)
              .filter(Boolean)
              .map((word) => word.length),
          ]),
        })),
      );
    const tokenizer = { ...tokenizerOf('right'), tokenize };
    // What is tokenised first ends within the phrase.
    const text = `${'p'.repeat(150)} ${phrase} ${'tail '.repeat(200)}`;
    const { row } = await tokenWindow(readablePart(text, LIMIT, 'right'), LIMIT, tokenizer);
    expect(row.ids).toEqual([150, 7, ...new Array<number>(LIMIT - 2).fill(4)]);
  });

  it('has none of the tokens beside the end of a part, which may depend on what follows', async () => {
    const tokenize = (texts: readonly string[]) =>
      Promise.resolve(
        texts.map((text) => {
          const { length } = text.split(' ');
          return { ids: Array.from({ length }, (_, at) => (at < length - 50 ? 7 : 0)) };
        }),
      );
    const tokenizer = { ...tokenizerOf('right'), tokenize };
    const { row } = await tokenWindow({ text: 'word '.repeat(400), more: false }, LIMIT, tokenizer);
    expect(row.ids).toEqual(new Array<number>(LIMIT).fill(7));
  });

  it('is refused where the prompt is all that fits: every text would have the same vector', async () => {
    const prompted = (promptTokens: number) => ({
      ...tokenizerOf('right'),
      tokenize: (texts: readonly string[]) =>
        Promise.resolve(texts.map(() => ({ ids: new Array<number>(40).fill(7), promptTokens }))),
    });
    const part = { text: 'a text', more: false };
    await expect(tokenWindow(part, LIMIT, prompted(LIMIT - 1))).rejects.toMatchObject({ promptTokens: 15 });
    await expect(shortWindows([part], LIMIT, prompted(30))).rejects.toThrow(NoWindowError);
    expect((await tokenWindow(part, LIMIT, prompted(LIMIT - 2))).row.ids).toHaveLength(LIMIT);
  });

  it('gives the end of a text where the model drops the beginning', async () => {
    const text = Array.from({ length: 3_000 }, (_, index) => `word${index}`).join(' ');
    const tokenizer = tokenizerOf('left');
    const [whole = { ids: [] }] = await tokenizer.tokenize([text]);
    const expected = { row: tokenizer.cut(whole, LIMIT), truncated: true };
    expect(await windowOf(text, 'left')).toEqual(expected);
  });

  it('costs the same for a text of a thousand words and for one of a million', async () => {
    const costOf = async (words: number) => {
      const tokenizer = tokenizerOf('right');
      await tokenWindow(readablePart('word '.repeat(words), LIMIT, 'right'), LIMIT, tokenizer);
      return tokenizer.characters;
    };
    expect(await costOf(1_000_000)).toBe(await costOf(1_000));
  });

  it('costs no second look where the first part ends with a word, however long words may be', async () => {
    const tokenizer = {
      ...tokenizerOf('right'),
      settings: { cutSide: 'right' as const, longestWord: 1_000 },
    };
    await tokenWindow(readablePart('word '.repeat(5_000), LIMIT, 'right'), LIMIT, tokenizer);
    expect(tokenizer.calls).toHaveLength(1);
  });

  it('refuses a text whose readable part holds too few tokens, and reads no more of it than that', async () => {
    const tokenizer = tokenizerOf('right');
    const spaces = ' '.repeat(4_000_000);
    await expect(tokenWindow(readablePart(spaces, LIMIT, 'right'), LIMIT, tokenizer)).rejects.toThrow(
      NoWindowError,
    );
    await expect(windowOf(spaces, 'left')).rejects.toThrow('its last 32768 characters');
    expect(tokenizer.characters).toBeLessThan(readableCharacters(LIMIT) * 1.5);
    expect(await windowOf(' '.repeat(readableCharacters(LIMIT)))).toEqual({
      row: { ids: [1] },
      truncated: false,
    });
  });
});

describe('shortWindows', () => {
  const long = 'word '.repeat(1_000);
  const parts = [
    { text: 'one', more: false },
    { text: 'two words', more: false, prompt: 'query: ' },
    { text: long, more: false },
    { text: 'its beginning', more: true },
    { text: 'word '.repeat(20), more: false },
    { text: 'three', more: false, prompt: 'query: ' },
  ];

  it('are those that each text has alone, and none for those that are not read whole', async () => {
    const tokenizer = tokenizerOf('right');
    const alone = parts.map((part) => tokenWindow(part, LIMIT, tokenizer).catch(() => undefined));
    const expected = (await Promise.all(alone)).map((window, at) => (at === 2 ? undefined : window));
    expect(expected.filter(Boolean)).toHaveLength(4);
    expect(await shortWindows(parts, LIMIT, tokenizer)).toEqual(expected);
  });

  it('take one call for each prompt', async () => {
    const tokenizer = tokenizerOf('right');
    await shortWindows(parts, LIMIT, tokenizer);
    expect(tokenizer.calls).toEqual([
      ['one', parts[4]?.text],
      ['two words', 'three'],
    ]);
  });
});

describe('significantPart', () => {
  const readable = readableCharacters(LIMIT);
  it.each([
    ['a short text is all of itself', 'short', 'short', true],
    [
      'what stands behind the readable part does not matter',
      `${'a'.repeat(readable)}b`,
      `${'a'.repeat(readable)}cd`,
      true,
    ],
    ['but that something stands there does', 'a'.repeat(readable), `${'a'.repeat(readable)}b`, false],
    ['token ids beyond the limit do not matter', new Array(200).fill(1), new Array(300).fill(1), true],
    ['but that there are any does', new Array(16).fill(1), new Array(17).fill(1), false],
  ])('%s', (_, one, other, same) => {
    const [left, right] = [one, other].map((input) => significantPart(input as string, LIMIT, 'right'));
    expect(JSON.stringify(left) === JSON.stringify(right)).toBe(same);
  });
});

describe('textWindows', () => {
  it('has those of the other texts where one of them makes the library fail', async () => {
    const tokenizer = tokenizerOf('right');
    const tokenize = (texts: readonly string[]) =>
      texts.includes('bad')
        ? Promise.reject(new RangeError('the library failed on: bad'))
        : tokenizer.tokenize(texts);
    const texts = ['good', 'bad', 'fine'].map((text) => ({ text, more: false }));
    const windows = await textWindows(texts, LIMIT, { ...tokenizer, tokenize });
    const good = { row: { ids: [1, expect.any(Number)] }, truncated: false };
    expect(windows).toEqual([good, { failure: 'RangeError' }, good]);
  });
});
