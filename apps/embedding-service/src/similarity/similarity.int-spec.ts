import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { postJson } from '@morgan/testing';
import { type Served, serve } from '../../fixture/served.ts';

const REFERENCE = join(
  import.meta.dirname,
  '../../../../libs/infrastructure/local-embeddings/fixture/reference-models/bert-mean',
);
const [ONE, OTHER] = ['hello world', 'a'];

let folder: string;
let served: Served;

/** A model that says how its vectors are to be compared, beside one that says cosine. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-similarity-'));
  await cp(REFERENCE, folder, { recursive: true });
  const file = join(folder, 'config_sentence_transformers.json');
  const settings = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...settings, similarity_fn_name: 'manhattan' }));
  served = await serve({ EMBEDDING_MODEL: REFERENCE, EMBEDDING_FURTHER_MODELS: `distances=${folder}` });
});
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
});

async function compare(more: object) {
  const response = await postJson(`${served.url}/v1/similarity`, { source: ONE, targets: [OTHER], ...more });
  const { metric, data } = (await response.json()) as { metric: string; data: { similarity: number }[] };
  return [metric, data[0]?.similarity];
}

it('compares as the model says, unless the caller says it otherwise', async () => {
  const rows = JSON.parse(await readFile(join(REFERENCE, 'ref.json'), 'utf8')) as {
    text: string;
    vector: number[];
  }[];
  const [one = [], other = []] = [ONE, OTHER].map((text) => rows.find((row) => row.text === text)?.vector);
  const sum = (term: (a: number, b: number) => number) =>
    one.reduce((total, value, index) => total + term(value, other[index] as number), 0);
  const distance = sum((a, b) => Math.abs(a - b));
  // Its vectors have length 1.
  const cosine = sum((a, b) => a * b);
  expect(await compare({ model: 'distances' })).toEqual(['manhattan', expect.closeTo(distance, 4)]);
  expect(await compare({ model: 'distances', metric: 'cosine' })).toEqual([
    'cosine',
    expect.closeTo(cosine, 4),
  ]);
  expect(await compare({})).toEqual(['cosine', expect.closeTo(cosine, 4)]);
  expect(await compare({ metric: 'manhattan' })).toEqual(['manhattan', expect.closeTo(distance, 4)]);
});
