import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig, type Logger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { z } from 'zod';
import { writeTinyBert } from '../fixture/tiny-bert.ts';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { localEmbeddingsConfig, type LocalEmbeddingsConfig } from './local-embeddings.config.ts';

const ID = 'someone/tiny-bert';
const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;
const context = { id: 'test', signal: new AbortController().signal };

let root: string;
let hub: Server;
let hubUrl: string;
/** `<revision>/<file>` of every file that the hub has sent whole. */
let served: string[] = [];
/** Everything that the hub was asked for. */
let asked: string[] = [];
/** What callers must show, if anything. */
let authorization: string | undefined;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'morgan-hub-'));
  await writeTinyBert(join(root, 'repository'));
  hub = createServer((request, response) => {
    const [, file, path] = new RegExp(`^/${ID}/resolve/((?:main|v2)/(.+))$`).exec(request.url ?? '') ?? [];
    asked.push(file ?? `unknown: ${request.url}`);
    if (authorization && request.headers.authorization !== authorization)
      return void response.writeHead(401).end();
    readFile(join(root, 'repository', path ?? '-')).then(
      (content) => {
        if (!request.headers.range) served.push(file as string);
        const [status, body] = request.headers.range ? [206, content.subarray(0, 1)] : [200, content];
        const range = status === 206 ? { 'content-range': `bytes 0-0/${content.length}` } : {};
        response.writeHead(status, { 'content-length': body.length, ...range }).end(body);
      },
      () => response.writeHead(404).end(),
    );
  }).listen(0, '127.0.0.1');
  await once(hub, 'listening');
  hubUrl = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;
});
afterAll(async () => {
  hub.closeAllConnections();
  hub.close();
  await rm(root, { recursive: true, force: true });
});

async function embedOnce(cacheDir: string, overrides: Partial<LocalEmbeddingsConfig> = {}) {
  served = [];
  asked = [];
  const lines: string[] = [];
  const write: Logger['info'] = (_, message) => lines.push(message);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const config = { ...DEFAULTS, model: ID, hubUrl, cacheDir: join(root, cacheDir), ...overrides };
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
    const files = ['config.json', 'onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json'];
    expect(served.toSorted()).toEqual(files.map((file) => `${revision}/${file}`));
    expect(asked.filter((path) => !path.startsWith(`${revision}/`))).toEqual([]);
    expect(first.lines).toContain('downloading the embedding model');

    const second = await embedOnce(cacheDir, { revision });
    expect(asked).toEqual([]);
    expect(second.vector).toEqual(first.vector);
    expect(second.lines).toEqual(['embedding model loaded']);

    // Port 9 is closed: not even a look at the hub is needed.
    const offline = await embedOnce(cacheDir, { revision, hubUrl: 'http://127.0.0.1:9' });
    expect(offline.vector).toEqual(first.vector);
  });
});

describe('a hub that not everybody may read', () => {
  beforeAll(() => void (authorization = 'Bearer hub-secret'));
  afterAll(() => void (authorization = undefined));

  it('gives every file of a model for its token', async () => {
    const { vector } = await embedOnce('cache-private', { hubToken: 'hub-secret' });
    expect(vector).toHaveLength(4);
    expect(served).toHaveLength(4);
  });

  it('refuses without, and no error holds the token', async () => {
    await expect(embedOnce('cache-none')).rejects.toThrow(/cannot be loaded/);
    const wrong = await embedOnce('cache-wrong', { hubToken: 'wrong-secret' }).catch(
      (error: unknown) => error,
    );
    expect(String((wrong as Error).stack)).toContain('cannot be loaded');
    expect(String((wrong as Error).stack)).not.toContain('wrong-secret');
  });
});

describe('a hub that does not have the model', () => {
  it('is named together with the id, and leaves nothing behind that a later start would take for a model', async () => {
    const missing = embedOnce('cache-missing', { model: 'someone/else' });
    await expect(missing).rejects.toThrow(/someone\/else \(from http.*cannot be loaded: .*locate file/);
    expect((await embedOnce('cache-missing')).vector).toHaveLength(4);
  });
});
