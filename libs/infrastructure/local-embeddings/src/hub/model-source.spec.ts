import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelLoadError } from '../model/model-load-error.ts';
import { resolveModelSource } from './model-source.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'morgan-source-'));
  mkdirSync(join(root, 'my-model'));
  writeFileSync(join(root, 'a-file'), '');
});
afterAll(() => rmSync(root, { recursive: true }));

const find = (model: string, more: { name?: string; bundled?: string; revision?: string } = {}) =>
  resolveModelSource(
    {
      model,
      name: more.name,
      revision: more.revision ?? 'main',
      cacheDir: 'models',
      hubUrl: 'https://hub.example',
      hubToken: 'secret',
    },
    more.bundled ?? root,
  );

describe('resolveModelSource', () => {
  it('takes the bundled model from the folder that the app names', () => {
    expect(find('bundled')).toEqual({
      name: 'universal-sentence-encoder-lite',
      source: { kind: 'folder', path: root },
    });
  });

  it('says what to do where the bundled model was not built', () => {
    expect(() => find('bundled', { bundled: join(root, 'none') })).toThrow(/`npm run build` makes it.*none/);
  });

  it('serves a folder under its own name', () => {
    const path = join(root, 'my-model');
    expect(find(path)).toEqual({ name: 'my-model', source: { kind: 'folder', path } });
    expect(find(`${path}/`).name).toBe('my-model');
  });

  it.each([
    ['models--BAAI--bge-m3', 'BAAI/bge-m3'],
    ['models--BAAI--bge-m3/snapshots/5617a9f', 'BAAI/bge-m3'],
    ['models--gpt2/snapshots/607a30d', 'gpt2'],
    ['models--BAAI--bge-m3/snapshots/5617a9f/onnx', 'onnx'],
  ])('serves %s of the cache of the hub as %s', (folder, name) => {
    const path = join(root, folder);
    mkdirSync(path, { recursive: true });
    expect(find(path)).toEqual({ name, source: { kind: 'folder', path } });
  });

  it('takes a hub id with revision, an absolute cache folder and the hub', () => {
    expect(find('Xenova/all-MiniLM-L6-v2', { revision: 'v1' })).toEqual({
      name: 'Xenova/all-MiniLM-L6-v2',
      source: {
        kind: 'hub',
        id: 'Xenova/all-MiniLM-L6-v2',
        revision: 'v1',
        cacheDir: resolve('models'),
        hubUrl: 'https://hub.example',
        token: 'secret',
      },
    });
  });

  it.each(['bundled', 'Xenova/all-MiniLM-L6-v2'])(
    'serves %s under another name where one is given',
    (model) => {
      expect(find(model, { name: 'mine' }).name).toBe('mine');
    },
  );

  it.each([
    ['/no/such/folder', /does not exist/],
    ['./none', /does not exist/],
    ['a/b/c', /neither "bundled", nor a folder, nor a hub id/],
    ['https://hub.example/a/b', /neither/],
    ['../no-such-folder', /does not exist/],
    ['word', /neither/],
    ['', /neither/],
  ])('refuses %j', (model, reason) => {
    expect(() => find(model)).toThrow(ModelLoadError);
    expect(() => find(model)).toThrow(reason);
  });

  it.each(['bundled', './'])('refuses a revision of %s, which would be left out', (model) => {
    expect(() => find(model, { revision: 'v1' })).toThrow(
      /^config\.model names no model of the hub.*EMBEDDING_MODEL_REVISION/,
    );
  });

  it('refuses a file where a folder is needed', () => {
    expect(() => find(join(root, 'a-file'))).toThrow(/config\.model names what is no folder: .*a-file/);
  });
});
