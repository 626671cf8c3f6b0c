import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LocalEmbeddingModel } from '../local-embedding-model.ts';

const FOLDER = join(import.meta.dirname, '../../fixture/reference-models/bert-mean');
/** More than one task for the tokenizer. */
const LONG = ['a cat '.repeat(10_000), 'a kitten '.repeat(7_000)];

let model: LocalEmbeddingModel;
beforeAll(async () => {
  model = new LocalEmbeddingModel({ config: { model: FOLDER, workers: 1 } });
  await model.load();
});
afterAll(() => model.unload());

describe('the tokens of texts', () => {
  it('come whole and in order, though several calls wait with one signal', async () => {
    const { signal } = new AbortController();
    const calls = [['a cat'], LONG, ['a kitten']];
    const lists = await Promise.all(calls.map((texts) => model.listTokens(texts, false, { signal })));
    const [[cat = []] = [], [cats = [], kittens = []] = [], [kitten = []] = []] = lists;
    expect(cats).toHaveLength(10_000 * cat.length);
    expect(kittens).toHaveLength(7_000 * kitten.length);
  });

  it('are not waited for by a call that is given up, and are by others', async () => {
    const caller = new AbortController();
    const first = model.listTokens(LONG);
    const left = model.listTokens(LONG, true, { signal: caller.signal });
    const last = model.listTokens(['a cat']);
    caller.abort();
    await expect(left).rejects.toMatchObject({ code: 'client_closed_request' });
    expect(await first).toHaveLength(2);
    expect(await last).toHaveLength(1);
  });
});
