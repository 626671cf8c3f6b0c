import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import type { ServiceParts } from '@morgan/http-server';
import { waitFor } from '@morgan/testing';
import { warmFile, type WarmedSoFar } from '../../../../tools/warm/warm-file.ts';
import { composeEmbeddingService } from '../compose.ts';
import { embeddingServiceConfig } from '../config/embedding-service.config.ts';

const MODEL = join(
  import.meta.dirname,
  '../../../../libs/infrastructure/local-embeddings/fixture/reference-models/bert-prompts',
);
const KEY = 'the-key-of-operators';

let parts: ServiceParts;
let url: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-warm-'));
  const env = {
    EMBEDDING_MODEL: MODEL,
    EMBEDDING_WORKERS: '1',
    EMBEDDING_TRUNCATE: 'false',
    CACHE_WARM_MAX_CALLS: '1',
    API_KEYS: KEY,
    LOG_LEVEL: 'silent',
  };
  parts = await composeEmbeddingService(loadConfig(embeddingServiceConfig, { env }));
  await parts.start();
  await parts.app.listen(0, '127.0.0.1');
  url = await parts.app.getUrl();
});

afterAll(async () => {
  await parts.app.close();
  await parts.close();
  await rm(folder, { recursive: true });
});

const send = (path: string, body: object) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
  });
const linesOf = async (response: Response) =>
  (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
const cacheOf = async (body: object) =>
  (await send('/v1/embeddings', { model: 'default', ...body })).headers.get('x-morgan-cache');
const texts = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix} ${index}`);

describe('POST /admin/cache/warm', () => {
  it('computes what is not there, and says how far it is', async () => {
    const input = texts('warm', 40);
    const body = { input, input_type: 'search_document' };
    const first = await linesOf(await send('/admin/cache/warm', body));
    expect(first).toEqual([
      { of: 40, done: 16, cached: 0, computed: 16, failed: 0 },
      { of: 40, done: 32, cached: 0, computed: 32, failed: 0 },
      { of: 40, done: 40, cached: 0, computed: 40, failed: 0 },
    ]);
    expect(await cacheOf(body)).toBe('hit');
    expect(await cacheOf({ input })).toBe('miss');
    const again = await linesOf(await send('/admin/cache/warm', body));
    expect(again.at(-1)).toEqual({ of: 40, done: 40, cached: 40, computed: 0, failed: 0 });
  });

  it('goes on after a text that the model refuses', async () => {
    const input = ['good', 'word '.repeat(100), 'also good'];
    const lines = await linesOf(await send('/admin/cache/warm', { input }));
    expect(lines).toEqual([{ of: 3, done: 3, cached: 0, computed: 2, failed: 1 }]);
  });

  it('serves as many calls at a time as allowed, until their callers leave', async () => {
    const first = await send('/admin/cache/warm', { input: texts('slow', 2_048) });
    const refused = await send('/admin/cache/warm', { input: 'a' });
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'overloaded' } }]);
    await first.body?.cancel();
    await waitFor(async () => (await send('/admin/cache/warm', { input: 'a' })).status === 200, {
      what: 'the place of the caller that left',
    });
  });

  it.each([
    [{ input: [] }, 'input'],
    [{ input: 'a', priority: 10 }, 'priority'],
    [{ input: 'a', prompt_name: 'haiku' }, 'prompt_name'],
  ])('refuses %j', async (body, param) => {
    const response = await send('/admin/cache/warm', body);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param } }]);
  });
});

describe('POST /admin/cache/purge', () => {
  it('empties the cache', async () => {
    await cacheOf({ input: 'to be purged' });
    expect(await cacheOf({ input: 'to be purged' })).toBe('hit');
    const purged = (await (await send('/admin/cache/purge', {})).json()) as { memory: number; redis: number };
    expect(purged.memory).toBeGreaterThan(0);
    expect(purged.redis).toBe(0);
    expect(await cacheOf({ input: 'to be purged' })).toBe('miss');
  });
});

describe('npm run warm', () => {
  it('sends every text of a file once, and nothing is computed the second time', async () => {
    const file = join(folder, 'texts.ndjson');
    const lines = [
      'plain text',
      '"a JSON string"',
      '{"text":"an object"}',
      '{"input":"another"}',
      '',
      '"quoted" she said',
    ];
    await writeFile(file, [...lines, ...texts('many', 600)].join('\n'));
    const steps: WarmedSoFar[] = [];
    const target = { url, apiKey: KEY };
    const first = await warmFile(file, target, (step) => steps.push(step));
    expect(first).toEqual({ texts: 605, cached: 0, computed: 605, failed: 0, share: 1 });
    expect(steps.map(({ texts: count }) => count)).toEqual([512, 605]);
    const second = await warmFile(file, target, () => undefined);
    expect(second).toMatchObject({ texts: 605, cached: 605, computed: 0 });
    expect(await cacheOf({ input: lines.slice(0, 1).concat('a JSON string', 'an object', 'another') })).toBe(
      'hit',
    );
  });

  it('names the line that it does not understand, and what the service says', async () => {
    const file = join(folder, 'bad.ndjson');
    await writeFile(file, '{"text":"fine"}\n{"title":"no"}\n');
    await expect(warmFile(file, { url, apiKey: KEY }, () => undefined)).rejects.toThrow(/line 2/);
    await writeFile(file, 'fine\n');
    await expect(warmFile(file, { url, apiKey: 'wrong' }, () => undefined)).rejects.toThrow(/API key/);
  });
});
