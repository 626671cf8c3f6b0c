import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { loadConfig, type LogFields, silentLogger } from '@morgan/foundation';
import { LocalEmbeddingModel } from '@morgan/local-embeddings';
import { Metrics } from '@morgan/telemetry';
import { waitFor } from '@morgan/testing';
import { composeEmbeddingService } from '../compose.ts';
import { embeddingServiceConfig } from '../config/embedding-service.config.ts';
import { EmbeddingService } from '../embeddings/embedding.service.ts';
import { FallbackEmbeddingModel } from './fallback-embedding-model.ts';
import { RemoteEmbeddingModel } from './remote-embedding-model.ts';
import { remoteConfig } from './remote.config.ts';

const FOLDERS = join(
  import.meta.dirname,
  '../../../../libs/infrastructure/local-embeddings/fixture/reference-models',
);
const folderOf = (name: string) => join(FOLDERS, name);
/** What the library itself gives for some texts. */
const rowsOf = (name: string) =>
  JSON.parse(readFileSync(join(FOLDERS, name, 'ref.json'), 'utf8')) as { text: string; vector: number[] }[];
const rows = rowsOf('bert-mean').filter(({ text }) => text.length > 0);
const texts = rows.map(({ text }) => text);

/** A host in a process of its own: the vectors that it is given, for their texts. It never answers a text that it has none for, and one is too much. */
const HOST = `
const { createServer } = require('node:http');
const vectors = new Map(JSON.parse(process.env.VECTORS));
const server = createServer(async (request, response) => {
  const { input } = JSON.parse(Buffer.concat(await request.toArray()));
  process.stdout.write('asked\\n');
  if (input.includes('too much')) return response.writeHead(429, { 'retry-after': '20' }).end();
  if (!input.every((text) => vectors.has(text))) return;
  const data = input.map((text, index) => ({ index, embedding: vectors.get(text) }));
  response.end(JSON.stringify({ data, usage: { prompt_tokens: 1, total_tokens: 1 } }));
});
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.stdout.write(server.address().port + '\\n'));
`;

let host: ChildProcess | undefined;
let service: EmbeddingService | undefined;
const lines: string[] = [];
const metrics = () => registry.render();
let registry = new Metrics();

afterEach(async () => {
  await service?.stop();
  service = undefined;
  await kill();
  lines.length = 0;
});

async function startHost(known: readonly (readonly [string, number[]])[], port = 0): Promise<number> {
  const env = { VECTORS: JSON.stringify(known), PORT: String(port) };
  host = spawn(process.execPath, ['-e', HOST], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [listening] = (await once(host.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return Number(listening.toString());
}

async function kill(): Promise<void> {
  if (!host || host.signalCode) return;
  host.kill('SIGKILL');
  await once(host, 'exit');
}

async function start(port: number, { local = 'bert-mean', dimensions = 8, batchSize = 32 } = {}) {
  const config = remoteConfig.parse({
    hosts: [`http://127.0.0.1:${port}/v1`],
    model: 'far-away',
    dimensions,
    batchSize,
    requestsPerSecond: 1_000,
    fallbackModel: folderOf(local),
  });
  const log = (_: LogFields, message: string) => lines.push(message);
  registry = new Metrics();
  service = new EmbeddingService({
    model: new FallbackEmbeddingModel({
      hosts: new RemoteEmbeddingModel({ config, truncate: true }),
      local: new LocalEmbeddingModel({ config: { model: folderOf(local), workers: 1 } }),
      logger: { ...silentLogger, info: log, warn: log, error: log },
      texts: registry.counter({ name: 'fallback_texts_total', help: 'Texts.' }),
    }),
  });
  await service.start();
  return service;
}

const statusOf = (its: EmbeddingService) =>
  (its.getMetrics().model as unknown as { fallback: { serves: boolean; comparison: string } }).fallback;

const distance = (actual: Float32Array, expected: readonly number[]) =>
  Math.max(...expected.map((value, index) => Math.abs(value - (actual[index] ?? NaN))));

describe('the same model here, beside a host', () => {
  it('embeds when the host is killed, shares the cache with it, and stops when it is back', async () => {
    const known = rows.slice(0, 4).map(({ text, vector }) => [text, vector] as const);
    const port = await startHost(known);
    const its = await start(port);
    const before = await its.embed(texts.slice(0, 2));
    expect(await metrics()).toContain('fallback_texts_total 0');
    await waitFor(() => statusOf(its).comparison === 'same', { what: 'the comparison' });
    await kill();

    const all = await its.embed(texts);
    all.forEach(({ vector }, index) => {
      expect(distance(vector, rows[index]?.vector ?? [])).toBeLessThan(1e-5);
    });
    expect(before.map(({ cached }) => cached)).toEqual([false, false]);
    expect(all.map(({ cached }) => cached)).toEqual(texts.map((_, index) => index < 2));
    expect(its.healthCheck().status).toBe('healthy');
    expect(statusOf(its).serves).toBe(true);
    expect(await metrics()).toContain(`fallback_texts_total ${texts.length - 2}`);

    await startHost([['once more', rows[0]?.vector ?? []]], port);
    await its.embed('once more');
    expect(statusOf(its).serves).toBe(false);
    expect(lines).toEqual([
      'no embedding host gives vectors; the same model here does',
      'embedding hosts give vectors again',
    ]);
  });

  it('embeds what comes while the host rests, as it has said that it would', async () => {
    const its = await start(await startHost([]));
    await its.embed('too much');
    const startedAt = performance.now();
    await its.embed('in time');
    // The host wants to be asked after 20 s.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(statusOf(its).serves).toBe(true);
    expect(await metrics()).toContain('fallback_texts_total 2');
  });

  it('takes over what the host was at when it was killed, and not what was over before', async () => {
    const port = await startHost([]);
    const its = await start(port);
    const aborter = new AbortController();
    const isAsked = () => once(host?.stdout as NodeJS.ReadableStream, 'data');
    let asked = isAsked();
    const over = its.embed(texts[0] as string, { signal: aborter.signal });
    await asked;
    aborter.abort();
    await expect(over).rejects.toThrow();
    expect(await metrics()).toContain('fallback_texts_total 0');

    asked = isAsked();
    const call = its.embed(texts[0] as string);
    await asked;
    await kill();
    expect(distance((await call).vector, rows[0]?.vector ?? [])).toBeLessThan(1e-5);
    expect(await metrics()).toContain('fallback_texts_total 1');
  });

  it('embeds only what the host did not', async () => {
    const its = await start(await startHost(rows.map(({ text, vector }) => [text, vector])), {
      batchSize: 1,
    });
    // When the last one is asked for, four at a time, no more than three others are on their way.
    const all = await its.embed([...texts, 'too much']);
    texts.forEach((_, index) =>
      expect(distance(all[index]?.vector ?? new Float32Array(), rows[index]?.vector ?? [])).toBeLessThan(
        1e-5,
      ),
    );
    const [, count] = /fallback_texts_total (\d+)/.exec(await metrics()) ?? [];
    expect(texts.length).toBeGreaterThan(5);
    expect(Number(count)).toBeLessThanOrEqual(4);
  });

  it('gets a text cut at the same character, and says that it was', async () => {
    const its = await start(1);
    const long = 'red '.repeat(5_000);
    const [one, other] = await its.embed([long, long.slice(0, 8_192)]);
    expect(one?.vector).toEqual(other?.vector);
    await expect(its.embed(long, { truncate: false })).rejects.toMatchObject({
      code: 'context_length_exceeded',
    });
  });

  it('puts no prompt in front that the host would not', async () => {
    const its = await start(1, { local: 'bert-prompts' });
    const [row] = rowsOf('bert-prompts');
    // The library has put its default prompt in front.
    const { vector } = await its.embed(`query: ${row?.text}`);
    expect(distance(vector, row?.vector ?? [])).toBeLessThan(1e-5);
  });

  it('is given up where its vectors are others than those of the host', async () => {
    const port = await startHost(rowsOf('bert-cls').map(({ text, vector }) => [text, vector]));
    const its = await start(port);
    await its.embed(texts[0] as string);
    await waitFor(() => statusOf(its).comparison === 'different', { what: 'the comparison' });
    await kill();
    await expect(its.embed(texts[1] as string)).rejects.toMatchObject({ code: 'no_host_available' });
    expect(lines.join()).toContain('are not the same model');
  });

  it('is given up where the host does not scale its vectors, and it does', async () => {
    const port = await startHost(rows.map(({ text, vector }) => [text, vector.map((value) => value * 5)]));
    const its = await start(port);
    await its.embed(texts[0] as string);
    await waitFor(() => statusOf(its).comparison === 'different', { what: 'the comparison' });
  });

  it('ends the start where its vectors have another length', async () => {
    await expect(start(1, { dimensions: 7 })).rejects.toThrow(
      /bert-mean, has vectors of 8 values, and EMBEDDING_REMOTE_DIMENSIONS is 7/,
    );
  });
});

describe('the cache of a service with a fallback', () => {
  it('is not that of one without, or with other files', async () => {
    const config = { hosts: ['http://127.0.0.1:1/v1'], model: 'far-away', dimensions: 8 };
    const hosts = () => new RemoteEmbeddingModel({ config: remoteConfig.parse(config), truncate: true });
    const fingerprints = [hosts().fingerprint()];
    for (const name of ['bert-mean', 'bert-cls']) {
      const texts = new Metrics().counter({ name: 'fallback_texts_total', help: 'Texts.' });
      const local = new LocalEmbeddingModel({ config: { model: folderOf(name), name: 'same', workers: 1 } });
      const model = new FallbackEmbeddingModel({ hosts: hosts(), local, logger: silentLogger, texts });
      expect(() => model.fingerprint()).toThrow(expect.objectContaining({ code: 'model_loading' }));
      await model.load();
      fingerprints.push(model.fingerprint());
      await model.unload();
    }
    expect(new Set(fingerprints).size).toBe(3);
  });
});

describe('EMBEDDING_REMOTE_FALLBACK_MODEL', () => {
  it('has the service answer without any host, ready all the time, and list tokens', async () => {
    const env = {
      EMBEDDING_BACKEND: 'remote',
      EMBEDDING_REMOTE_HOSTS: 'http://127.0.0.1:1/v1',
      EMBEDDING_REMOTE_MODEL: 'far-away',
      EMBEDDING_REMOTE_DIMENSIONS: '8',
      EMBEDDING_REMOTE_FALLBACK_MODEL: folderOf('bert-mean'),
      EMBEDDING_WORKERS: '1',
      LOG_LEVEL: 'silent',
    };
    const { app, ...parts } = await composeEmbeddingService(loadConfig(embeddingServiceConfig, { env }));
    await parts.start();
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const send = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      return [response.status, await response.json()];
    };
    // More calls than it takes until the host is not asked any more.
    for (const input of texts.slice(0, 6))
      expect(await send('/v1/embeddings', { model: 'far-away', input })).toMatchObject([
        200,
        { data: [{ embedding: expect.any(Array) }], model: 'far-away' },
      ]);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await send('/tokenize', { inputs: 'a cat' })).toMatchObject([200, [expect.any(Array)]]);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('morgan_embedding_fallback_texts_total 6');
    await app.close();
    await parts.close();
  });

  it('is refused where the backend is not remote', () => {
    const env = { EMBEDDING_REMOTE_FALLBACK_MODEL: 'bundled' };
    expect(() => loadConfig(embeddingServiceConfig, { env })).toThrow(/remote\.fallbackModel: is for hosts/);
  });
});
