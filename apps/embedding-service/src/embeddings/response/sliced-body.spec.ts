import type { Readable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { busy, turnsDuring } from '@morgan/testing';
import { jsonSlices, slicedBody, slicedBytes, vectorListBody } from './sliced-body.ts';

async function piecesOf<Piece>(body: unknown): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const piece of body as Readable) pieces.push(piece as Piece);
  return pieces;
}

const SLICES = 10;

/** Each takes longer than all of them together have in a turn. */
function* slow<Slice>(slice: Slice): Generator<Slice, void> {
  for (let count = 0; count < SLICES; count += 1) {
    busy(6);
    yield slice;
  }
}

/** In as many slices, of one vector each. */
const slowVectors = () =>
  vectorListBody({
    begin: '[',
    count: SLICES,
    dimensions: 16_384,
    write: () => `${'1'.repeat(20_000)}${busy(6)}`,
    end: ']',
  });

it.each<[string, () => unknown]>([
  ['a text', () => slicedBody(slow('a'.repeat(20_000)), false)],
  ['bytes', () => slicedBytes(slow(Buffer.alloc(20_000)), false)],
  ['a list of vectors', slowVectors],
])('everybody else has a turn between two slices of %s, of however many at a time', async (_, bodyOf) => {
  for (const count of [1, 5]) {
    const turns = await turnsDuring(() =>
      Promise.all(Array.from({ length: count }, () => piecesOf(bodyOf()))),
    );
    expect(turns).toBeGreaterThanOrEqual(count * (SLICES - 2));
  }
});

it.each([
  [[]],
  [['a', { b: 1 }, null]],
  [{ a: 1, list: ['b', [2]], none: [], of: { c: 'd' } }],
  [{}],
  [{ no: undefined, a: 1 }],
])('an element of %j is a slice', (value) => {
  const slices = [...jsonSlices(value)];
  expect(slices.join('')).toBe(JSON.stringify(value));
  const lists = [value, ...(Object.values(value) as unknown[])].filter(Array.isArray) as unknown[][];
  expect(slices.length).toBeGreaterThanOrEqual(lists.flat().length);
});

it('short slices leave together', async () => {
  const words = Array.from({ length: 10_000 }, (_, index) => `word ${index},`);
  const pieces = await piecesOf<string>(slicedBody(words, false));
  expect(pieces.join('')).toBe(words.join(''));
  expect(pieces.length).toBeLessThan(10);
});
