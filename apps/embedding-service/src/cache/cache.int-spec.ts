import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import { freePort, postJson, redisCommand, startRedis, waitFor } from '@morgan/testing';
import { type Served, serve } from '../../fixture/served.ts';
import { composeEmbeddingService } from '../compose.ts';
import { embeddingServiceConfig } from '../config/embedding-service.config.ts';

const MODEL = join(
  import.meta.dirname,
  '../../../../libs/infrastructure/local-embeddings/fixture/reference-models/bert-prompts',
);
const KEY = 'the-key-of-operators';

let served: Served;
let url: string;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-warm-'));
  const env = {
    EMBEDDING_MODEL: MODEL,
    EMBEDDING_TRUNCATE: 'false',
    CACHE_WARM_MAX_CALLS: '1',
    API_KEYS: KEY,
    BODY_LIMIT_BYTES: '100000',
  };
  served = await serve(env);
  ({ url } = served);
});

afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
});

const send = (path: string, body: object) =>
  postJson(`${url}${path}`, body, { authorization: `Bearer ${KEY}` });
const linesOf = async (response: Response) =>
  (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
const cacheOf = async (body: object) =>
  (await send('/v1/embeddings', { model: 'default', ...body })).headers.get('x-morgan-cache');
const texts = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix} ${index}`);

it('asks Redis once for what is not there', async () => {
  await using redis = await startRedis();
  const other = await serve({ EMBEDDING_MODEL: MODEL, REDIS_URL: redis.url });
  const ask = (input: string) => postJson(`${other.url}/v1/embeddings`, { model: 'default', input });
  const stats = () => redisCommand(redis.url, 'INFO commandstats');
  try {
    // It begins without waiting for Redis.
    let text = 0;
    const isAsked = async () => {
      await ask(`first ${(text += 1)}`);
      return (await stats()).includes('cmdstat_mget');
    };
    await waitFor(isAsked, { what: 'a look-up in Redis' });
    await redisCommand(redis.url, 'CONFIG RESETSTAT');
    expect((await ask('another')).headers.get('x-morgan-cache')).toBe('miss');
    expect(await stats()).toContain('cmdstat_mget:calls=1,');
  } finally {
    await other.close();
  }
});

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

  it('is for operators alone where they have a key, however its path is spelled', async () => {
    const admin = 'the-key-of-admins';
    const others = await serve({ EMBEDDING_MODEL: MODEL, API_KEYS: KEY, ADMIN_API_KEY: admin });
    const statuses = async (key: string) => {
      const headers = { 'x-api-key': key, 'content-type': 'application/json' };
      const calls = [
        ['/admin/cache/purge', '{}'],
        ['//%61dmin/cache//purge/', '{}'],
        ['/admin/cache/warm', '{"input":"a"}'],
        ['/v1/embeddings', '{"input":"a","model":"default"}'],
      ] as const;
      const asked = calls.map(([path, body]) => fetch(others.url + path, { method: 'POST', body, headers }));
      return (await Promise.all(asked)).map(({ status }) => status);
    };
    expect(await statuses(KEY)).toEqual([401, 401, 401, 200]);
    expect(await statuses(admin)).toEqual([200, 200, 200, 401]);
    await others.close();
  });

  it('has a key that no caller has', () => {
    const env = { API_KEYS: KEY, ADMIN_API_KEY: KEY };
    expect(() => loadConfig(embeddingServiceConfig, { env })).toThrow('they would be operators');
  });

  it('says that the other replicas keep theirs where Redis is gone', async () => {
    const env = { EMBEDDING_MODEL: MODEL, REDIS_URL: 'redis://127.0.0.1:1', LOG_LEVEL: 'silent' };
    const lonely = await composeEmbeddingService(loadConfig(embeddingServiceConfig, { env }));
    await lonely.app.listen(0, '127.0.0.1');
    const response = await fetch(`${await lonely.app.getUrl()}/admin/cache/purge`, { method: 'POST' });
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { error: { code: 'cache_unavailable' } },
    ]);
    await lonely.app.close();
    await lonely.close();
  });
});

it('warming says that Redis does not take the vectors, which other replicas would not find', async () => {
  const redisUrl = `redis://127.0.0.1:${await freePort()}`;
  const lonely = await serve({ EMBEDDING_MODEL: MODEL, REDIS_URL: redisUrl, LOG_LEVEL: 'silent' });
  const response = await postJson(`${lonely.url}/admin/cache/warm`, { input: texts('lonely', 40) });
  expect([response.status, await response.json()]).toMatchObject([
    503,
    { error: { code: 'cache_unavailable', message: expect.stringContaining('tried 5 times') } },
  ]);
  expect(response.headers.get('retry-after')).toBe('5');
  await lonely.close();
});

describe('npm run warm', () => {
  const run = promisify(execFile);
  const WARM = join(import.meta.dirname, '../../../../tools/warm/warm.ts');
  const warm = (file: string, key = KEY) =>
    run(process.execPath, [WARM, file, '--url', url], { env: { MORGAN_API_KEY: key } });
  const stepsOf = ({ stdout }: { stdout: string }) => stdout.trim().split('\n');

  it('sends every text of a file once, and nothing is computed the second time', async () => {
    const file = join(folder, 'texts.ndjson');
    const lines = ['plain text', '"a JSON string"', '{"text":"an object"}', '{"input":"another"}', ''];
    await writeFile(file, [...lines, '"quoted" she said', ...texts('many', 600)].join('\n'));
    expect(stepsOf(await warm(file))).toEqual([
      expect.stringMatching(/^\d\d\.\d %  512 texts: 512 computed, 0 were there, 0 failed$/),
      '100.0 %  605 texts: 605 computed, 0 were there, 0 failed',
    ]);
    expect(stepsOf(await warm(file)).at(-1)).toBe('100.0 %  605 texts: 0 computed, 605 were there, 0 failed');
    expect(await cacheOf({ input: ['plain text', 'a JSON string', 'an object', 'another'] })).toBe('hit');
  });

  it('takes lines as JSON has them, whatever their texts hold, and no file of another kind', async () => {
    const file = join(folder, 'odd.ndjson');
    await writeFile(file, '"one\u2028of two"\r\n{"text":"carriage\\rreturn"}\n[a bracket\n');
    expect(stepsOf(await warm(file)).at(-1)).toBe('100.0 %  3 texts: 3 computed, 0 were there, 0 failed');
    expect(await cacheOf({ input: ['one\u2028of two', 'carriage\rreturn', '[a bracket'] })).toBe('hit');
    for (const array of ['["a", "b"]', '[\n"a",\n"b"\n]']) {
      await writeFile(file, array);
      await expect(warm(file)).rejects.toMatchObject({ stderr: expect.stringContaining('one JSON array') });
    }
    await writeFile(file, Buffer.from('a text of Windows', 'utf16le'));
    await expect(warm(file)).rejects.toMatchObject({ stderr: expect.stringContaining('no text in UTF-8') });
  });

  it('reads gzip, and goes on after lines that nobody could take', async () => {
    const file = join(folder, 'odd.gz');
    const bytes = Buffer.concat([
      Buffer.from('compressed\r\ncaf\xe9\r\n', 'latin1'),
      Buffer.alloc(17 * 2 ** 20, 'x'),
      Buffer.from(`\r\n${'y'.repeat(150_000)}\r\nthe last`),
    ]);
    await writeFile(file, gzipSync(bytes, { level: 1 }));
    await expect(warm(file)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /line 2 is no text in UTF-8[^]*line 3 is longer than \d+ bytes[^]*a text of 150000 characters: .*limit/,
      ),
      stdout: expect.stringContaining('3 texts: 2 computed, 0 were there, 3 failed'),
    });
    expect(await cacheOf({ input: ['compressed', 'the last'] })).toBe('hit');
  });

  it.each(['/dev/stdin', '/no/such/file', tmpdir()])('refuses %s, which is no file', async (path) => {
    await expect(warm(path)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`^${path} is not a file\nusage: `)),
    });
  });

  it('names lines that it does not understand and sends all others, and says what the service says', async () => {
    const file = join(folder, 'bad.ndjson');
    const other = '{"text":"other","prompt_name":"query"}';
    await writeFile(file, `\uFEFFfirst\n{"title":"no"}\n{broken\n{"text":"last"}\n${other}\n`);
    await expect(warm(file)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /line 2 has neither [^]*line 3 is not valid JSON[^]*line 5 has "prompt_name": --input-type/,
      ),
      stdout: expect.stringContaining('2 texts: 2 computed, 0 were there, 3 failed'),
    });
    expect(await cacheOf({ input: ['first', 'last'] })).toBe('hit');
    await writeFile(file, 'fine\n');
    const refused = warm(file, 'wrong');
    await expect(refused).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('API key') });
  });
});
