import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { EmbeddedItem } from './scheduling/embedding-job.ts';
import { LocalEmbeddingModel } from './local-embedding-model.ts';

interface ReferenceRow {
  readonly text: string;
  readonly ids: readonly number[];
  readonly vector: readonly number[];
}

/** Made by tools/reference-models: what sentence-transformers itself gives. */
const FOLDERS = join(import.meta.dirname, '../fixture/reference-models');
const rowsOf = (name: string) =>
  JSON.parse(readFileSync(join(FOLDERS, name, 'ref.json'), 'utf8')) as readonly ReferenceRow[];

let model: LocalEmbeddingModel;
afterEach(() => model.unload());

const vectorsOf = ({ vector, tokenCount }: EmbeddedItem) => {
  const size = vector.length / tokenCount;
  return Array.from({ length: tokenCount }, (_, token) => [
    ...vector.subarray(token * size, (token + 1) * size),
  ]);
};

const meanOf = (vectors: readonly (readonly number[])[]) =>
  (vectors[0] ?? []).map(
    (_, index) => vectors.reduce((sum, vector) => sum + (vector[index] as number), 0) / vectors.length,
  );

function lengthOne(vector: readonly number[] = []): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const distance = (actual: ArrayLike<number> | undefined, expected: readonly number[]) =>
  Math.max(...expected.map((value, index) => Math.abs(value - (actual?.[index] ?? NaN))));

describe('the vectors of tokens', () => {
  it.each<[string, (vectors: number[][]) => readonly number[]]>([
    ['bert-mean', (vectors) => lengthOne(meanOf(vectors))],
    ['bert-cls', (vectors) => lengthOne(vectors[0])],
    ['bert-cut-left', (vectors) => lengthOne(meanOf(vectors))],
    ['roberta', (vectors) => lengthOne(meanOf(vectors))],
    ['qwen3', (vectors) => lengthOne(vectors.at(-1))],
  ])('of %s are those that the vectors of the library are pooled from', async (name, pool) => {
    model = new LocalEmbeddingModel({ config: { model: join(FOLDERS, name), workers: 1 } });
    await model.load();
    const rows = rowsOf(name);
    const texts = rows.map(({ text }) => text);
    // Beside calls whose texts are pooled, by the same process.
    const [tokens, pooled] = await Promise.all([model.embedTokens(texts), model.embed(texts)]);
    rows.forEach(({ ids, vector }, index) => {
      const item = tokens[index] as EmbeddedItem;
      expect([item.tokenCount, item.truncated]).toEqual([ids.length, pooled[index]?.truncated]);
      expect(distance(pool(vectorsOf(item)), vector)).toBeLessThan(1e-5);
      expect(distance(pooled[index]?.vector, vector)).toBeLessThan(1e-5);
    });
  });
});
