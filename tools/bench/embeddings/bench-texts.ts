import { seededRandom } from '@morgan/testing';

/** Each is one token of the models of the bench, so that the length of a text is known. */
export const WORDS =
  'the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so'.split(
    ' ',
  );

/** Shortest and longest text in words: queries that are alike, and texts of 4 to 128 tokens with the special ones. */
const LENGTHS = { short: [14, 14], mixed: [2, 126] } as const;
export type TextKind = keyof typeof LENGTHS;

/** Shares no factor with the number of lengths, so that every length comes once before any comes again. */
const STRIDE = 47;

/** Lengths are the same for every seed, words are not: no cache knows these texts from other seeds. */
export function benchTexts(kind: TextKind, count: number, seed: number): string[] {
  const random = seededRandom(seed);
  const [shortest, longest] = LENGTHS[kind];
  const word = () => WORDS[Math.floor(random() * WORDS.length)];
  return Array.from({ length: count }, (_, index) => {
    const length = shortest + ((index * STRIDE) % (longest - shortest + 1));
    return Array.from({ length }, word).join(' ');
  });
}
