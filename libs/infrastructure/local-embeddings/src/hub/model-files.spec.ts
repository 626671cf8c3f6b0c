import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeTinyBert } from '../../fixture/tiny-bert.ts';
import { isComplete, modelFolder } from './model-files.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'morgan-files-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('isComplete', () => {
  it('asks for the graph that was chosen', async () => {
    const path = join(root, 'tiny');
    await writeTinyBert(path);
    expect(await isComplete(path, { dtype: 'auto', device: 'cpu' })).toBe(true);
    expect(await isComplete(path, { dtype: 'q8', device: 'cpu' })).toBe(false);
    expect(await isComplete(join(root, 'nothing'), { dtype: 'auto', device: 'cpu' })).toBe(false);
  });
});

describe('modelFolder', () => {
  const hub = { kind: 'hub', id: 'a/b', cacheDir: '/models', hubUrl: 'https://hub.example' } as const;

  it('keeps revisions apart, and inside the cache folder', () => {
    expect(modelFolder({ ...hub, revision: 'main' })).toBe('/models/a/b');
    expect(modelFolder({ ...hub, revision: 'refs/pr/1' })).toBe('/models/refs%2Fpr%2F1/a/b');
  });
});
