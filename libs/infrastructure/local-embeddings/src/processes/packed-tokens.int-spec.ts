import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeTinyBert } from '../../fixture/tiny-bert.ts';
import { ModelProcess } from './model-process.ts';
import { unpackTokens } from './packed-tokens.ts';

let folder: string;
let tokenizer: ModelProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-tokens-'));
  await writeTinyBert(folder);
  const model = { backend: 'auto', device: 'cpu', dtype: 'fp32', threads: 1 } as const;
  tokenizer = new ModelProcess('tokenizer', { folder, model }, () => undefined);
  await tokenizer.loaded();
});
afterAll(async () => {
  await tokenizer.end();
  await rm(folder, { recursive: true });
});

describe('the tokens that a process lists', () => {
  it('have their places in the text; special ones have none', async () => {
    const { lists = [] } = await tokenizer.run('list', { texts: ['red tea'], specials: true, most: 4 });
    const [first, red, tea, last] = lists.flatMap(unpackTokens);
    for (const special of [first, last])
      expect(special).toMatchObject({ special: true, start: null, stop: null });
    expect(red).toMatchObject({ text: 'red', special: false, start: 0, stop: 3 });
    expect(tea).toMatchObject({ text: 'tea', special: false, start: 4, stop: 7 });
  });

  it.each([
    [4, 2],
    [3, undefined],
  ])('are %s of all texts at most, or none', async (most, count) => {
    const { lists } = await tokenizer.run('list', { texts: ['red tea', 'tea red'], specials: false, most });
    expect(lists?.length).toBe(count);
  });
});
