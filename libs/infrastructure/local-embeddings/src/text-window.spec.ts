import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type CutSide,
  readableCharacters,
  readablePart,
  significantPart,
  SparseTextError,
  tokenWindow,
} from './text-window.ts';

/** Words are tokens, and long ones are cut into pieces of 5 from their start: what stands behind a cut changes its piece. */
function encoderOf(cutSide: CutSide) {
  let characters = 0;
  return {
    cutSide,
    get characters() {
      return characters;
    },
    encode(text: string) {
      characters += text.length;
      const pieces = text.split(/\s+/).flatMap((word) => word.match(/.{1,5}/gsu) ?? []);
      return Promise.resolve([
        1,
        ...pieces.map((piece) => [...piece].reduce((sum, each) => sum * 31 + (each.codePointAt(0) ?? 0), 7)),
      ]);
    },
    cut: (ids: readonly number[], limit: number) =>
      cutSide === 'right' ? ids.slice(0, limit) : [1, ...ids.slice(1).slice(-(limit - 1))],
  };
}

const LIMIT = 16;
const windowOf = (text: string, side: CutSide = 'right') =>
  tokenWindow(readablePart(text, LIMIT, side), LIMIT, encoderOf(side));

describe('tokenWindow', () => {
  it('gives what the whole text would give, cut', async () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    const texts = fc.array(fc.tuple(word, fc.constantFrom(' ', '  ', '\n', '\t ')), { maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(texts, async (parts) => {
        const text = parts.flat().join('');
        const encoder = encoderOf('right');
        const whole = await encoder.encode(text);
        const expected = { ids: encoder.cut(whole, LIMIT), truncated: whole.length > LIMIT };
        expect(await windowOf(text)).toEqual(expected);
      }),
    );
  });

  it('gives the end of a text where the model drops the beginning', async () => {
    const text = Array.from({ length: 3_000 }, (_, index) => `word${index}`).join(' ');
    const encoder = encoderOf('left');
    const expected = { ids: encoder.cut(await encoder.encode(text), LIMIT), truncated: true };
    expect(await windowOf(text, 'left')).toEqual(expected);
  });

  it('costs the same for a text of a thousand words and for one of a million', async () => {
    const costOf = async (words: number) => {
      const encoder = encoderOf('right');
      await tokenWindow(readablePart('word '.repeat(words), LIMIT, 'right'), LIMIT, encoder);
      return encoder.characters;
    };
    expect(await costOf(1_000_000)).toBe(await costOf(1_000));
  });

  it('refuses a text whose readable part holds too few tokens, and reads no more of it than that', async () => {
    const encoder = encoderOf('right');
    const spaces = ' '.repeat(4_000_000);
    await expect(tokenWindow(readablePart(spaces, LIMIT, 'right'), LIMIT, encoder)).rejects.toThrow(
      SparseTextError,
    );
    expect(encoder.characters).toBeLessThan(readableCharacters(LIMIT) * 1.5);
    expect(await windowOf(' '.repeat(readableCharacters(LIMIT)))).toEqual({ ids: [1], truncated: false });
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
    ['token ids beyond the limit do not matter', new Array(20).fill(1), new Array(30).fill(1), true],
    ['but that there are any does', new Array(16).fill(1), new Array(17).fill(1), false],
  ])('%s', (_, one, other, same) => {
    const [left, right] = [one, other].map((input) => significantPart(input as string, LIMIT, 'right'));
    expect(JSON.stringify(left) === JSON.stringify(right)).toBe(same);
  });
});
