import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig, type Logger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { z } from 'zod';
import { HubServer } from '../../fixture/hub-server.ts';
import { writeTinyBert } from '../../fixture/tiny-bert.ts';
import { LocalEmbeddingModel } from '../local-embedding-model.ts';
import { localEmbeddingsConfig, type LocalEmbeddingsConfig } from '../local-embeddings.config.ts';

const ID = 'someone/tiny-bert';
const FILES = ['config.json', 'onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json'];
const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;
const context = { id: 'test', signal: new AbortController().signal };

let root: string;
let hub: HubServer;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'morgan-hub-'));
  await writeTinyBert(join(root, 'repository'));
  hub = await HubServer.start();
  for (const file of FILES) hub.files.set(file, await readFile(join(root, 'repository', file)));
});
afterAll(async () => {
  await hub.close();
  await rm(root, { recursive: true, force: true });
});

async function embedOnce(cacheDir: string, overrides: Partial<LocalEmbeddingsConfig> = {}) {
  hub.takeAsked();
  const lines: string[] = [];
  const write: Logger['info'] = (_, message) => lines.push(message);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const config = { ...DEFAULTS, model: ID, hubUrl: hub.origin, cacheDir: join(root, cacheDir), ...overrides };
  const model = new LocalEmbeddingModel({ config, bundledModelDir: root, logger, metrics: new Metrics() });
  try {
    await model.load();
    const [item] = await model.embed(['red tea cup'], context);
    return { vector: Array.from(item?.vector ?? []), lines, id: model.id };
  } finally {
    await model.unload();
  }
}

describe.each([['main'], ['v2']])('revision %s of a hub id', (revision) => {
  const cacheDir = `cache-${revision}`;

  it('is downloaded once, with progress in the log, and needs no hub afterwards', async () => {
    const first = await embedOnce(cacheDir, { revision });
    expect(first.id).toBe(ID);
    expect(new Set(hub.asked.map(({ file }) => file.split('/')[0]))).toEqual(new Set([revision]));
    expect(first.lines).toContain('downloading the embedding model');

    const second = await embedOnce(cacheDir, { revision });
    expect(hub.asked).toEqual([]);
    expect(second.vector).toEqual(first.vector);
    expect(second.lines).not.toContain('downloading the embedding model');

    // Port 9 is closed: not even a look at the hub is needed.
    const offline = await embedOnce(cacheDir, { revision, hubUrl: 'http://127.0.0.1:9' });
    expect(offline.vector).toEqual(first.vector);
  });
});

describe('a hub that not everybody may read', () => {
  beforeAll(() => void (hub.authorization = 'Bearer hub-secret'));
  afterAll(() => void (hub.authorization = undefined));

  it('gives a model for its token', async () => {
    const { vector } = await embedOnce('cache-private', { hubToken: 'hub-secret' });
    expect(vector).toHaveLength(4);
  });

  it('refuses without, and no error holds the token', async () => {
    await expect(embedOnce('cache-none')).rejects.toThrow(
      /cannot be loaded: the hub answered 401 .*HF_TOKEN/,
    );
    const wrong = await embedOnce('cache-wrong', { hubToken: 'wrong-secret' }).catch(
      (error: unknown) => error,
    );
    expect(inspect(wrong, { depth: 10 })).toContain('cannot be loaded');
    expect(inspect(wrong, { depth: 10 })).not.toContain('wrong-secret');
  });
});

describe('a hub that does not have the model', () => {
  it('is named together with the id, and leaves nothing behind that a later start would take for a model', async () => {
    hub.misbehave('config.json', (response) => void response.writeHead(404).end());
    const missing = embedOnce('cache-missing', { model: 'someone/else' });
    await expect(missing).rejects.toThrow(
      /someone\/else \(from http.*cannot be loaded: the hub has no config.json in revision main/,
    );
    expect((await embedOnce('cache-missing')).vector).toHaveLength(4);
  });
});

describe('a model without modules.json', () => {
  it('is obeyed as its folder would be: the settings beside it come along', async () => {
    const settings = { prompts: { query: 'red ' }, default_prompt_name: 'query' };
    hub.files.set('config_sentence_transformers.json', Buffer.from(JSON.stringify(settings)));
    const prompted = await embedOnce('cache-prompted');
    hub.files.delete('config_sentence_transformers.json');
    expect(prompted.vector).not.toEqual((await embedOnce('cache-unprompted')).vector);
  });
});

describe('a static model', () => {
  const STATICS = join(import.meta.dirname, '../../fixture/reference-statics');
  const present = ['onnx/model.onnx', 'config.json', 'tokenizer.json', 'tokenizer_config.json'];

  it.each([
    ['normalize-old', ['0_StaticEmbedding/model.safetensors', '0_StaticEmbedding/tokenizer.json']],
    ['model2vec', ['config.json', 'model.safetensors', 'tokenizer.json']],
    ['model2vec-weights', ['config.json', 'model.safetensors', 'tokenizer.json']],
  ])('%s is downloaded as it is, without any graph, its table at last', async (name, files) => {
    const kept = present.map((file) => [file, hub.files.get(file)] as const);
    // Hubs have graphs of Model2Vec's models, which take other inputs than all else.
    for (const file of present) if (file !== 'onnx/model.onnx') hub.files.delete(file);
    const all = await readdir(join(STATICS, name), { recursive: true, withFileTypes: true });
    const own = all
      .filter((entry) => entry.isFile())
      .map((entry) => relative(join(STATICS, name), join(entry.parentPath, entry.name)));
    for (const file of own) hub.files.set(file, await readFile(join(STATICS, name, file)));
    try {
      const first = await embedOnce(`cache-${name}`);
      const asked = hub.takeAsked().map(({ file }) => file.replace('main/', ''));
      expect(asked).toEqual(expect.arrayContaining(files));
      expect(asked).not.toContainEqual(expect.stringMatching(/onnx|tokenizer_config|ref\.json/));
      expect(asked.at(-1)).toMatch(/model\.safetensors$/);
      const offline = await embedOnce(`cache-${name}`, { hubUrl: 'http://127.0.0.1:9' });
      expect(offline.vector).toEqual(first.vector);
    } finally {
      for (const file of own) hub.files.delete(file);
      for (const [file, content] of kept) if (content) hub.files.set(file, content);
    }
  });
});

describe('a model of a kind that is not served', () => {
  it('is refused by what it is before its weights come, though it lacks files that others have', async () => {
    const type = 'sentence_transformers.models.WordEmbeddings';
    hub.files.set('modules.json', Buffer.from(JSON.stringify([{ path: '', type }])));
    hub.misbehave('config.json', (response) => void response.writeHead(404).end());
    hub.takeAsked();
    await expect(embedOnce('cache-words')).rejects.toThrow(
      /cannot be loaded: modules\.json begins with .*WordEmbeddings/,
    );
    expect(hub.takeAsked().map(({ file }) => file)).not.toContainEqual(expect.stringContaining('.onnx'));
    hub.files.delete('modules.json');
  });
});
