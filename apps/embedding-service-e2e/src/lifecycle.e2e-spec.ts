import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeLlmHost } from '@morgan/fake-llm-host';
import {
  endAtStart,
  endOfService,
  listen,
  postJson,
  type RunningService,
  type ServiceProcess,
  startRedis,
  startService,
  waitFor,
} from '@morgan/testing';
import OpenAI from 'openai';

const app = 'embedding-service';

const embed = (service: RunningService, input: unknown, headers: Record<string, string> = {}) =>
  postJson(`${service.url}/v1/embeddings`, { model: 'default', input }, headers);

const metricsOf = async (service: RunningService, headers: Record<string, string> = {}) =>
  (await fetch(`${service.url}/metrics`, { headers })).text();

async function files(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

const lastHits = (service: RunningService) =>
  service.logs.filter((line) => line['msg'] === 'request' && line['route'] === '/v1/embeddings').at(-1)?.[
    'cacheHits'
  ];

/** Where a service that has just been launched listens, which it does before its model is loaded. */
async function urlOf(child: ServiceProcess): Promise<string> {
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return waitFor(() => /"url":"([^"]+)"/.exec(output)?.[1], { what: 'the port', timeoutMs: 30_000 });
}

/** The processes that a service has started for its model. */
async function modelProcesses({ pid }: ServiceProcess): Promise<number> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return list.split(' ').filter(Boolean).length;
}

describe('a start', () => {
  it.each([
    [
      'a folder that is not there',
      { EMBEDDING_MODEL: './nowhere' },
      /folder that does not exist: \.\/nowhere/,
    ],
    [
      'a hub that cannot be reached',
      { EMBEDDING_MODEL: 'nobody/nothing', EMBEDDING_HUB_URL: 'http://127.0.0.1:9' },
      /nobody\/nothing.*cannot be loaded/,
    ],
    ['a broken setting', { EMBEDDING_WORKERS: 'many' }, /model\.workers.*EMBEDDING_WORKERS/],
  ])('with %s exits 1 with one clear message', async (_, env, message) => {
    const { code, stderr } = await endOfService({ app, env });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('is alive before it is ready, and ready only with the model', async () => {
    const { code } = await endOfService({ app }, async (child) => {
      const url = await urlOf(child);
      const statuses = await Promise.all(['readyz', 'livez'].map((path) => fetch(`${url}/${path}`)));
      expect(statuses.map(({ status }) => status)).toEqual([503, 200]);
      await waitFor(async () => (await fetch(`${url}/readyz`)).ok, { what: 'the model', timeoutMs: 30_000 });
      child.kill('SIGTERM');
    });
    expect(code).toBe(0);
  });
});

describe('a stop', () => {
  it('at the very start is obeyed: its handler is there before anything else is loaded', async () => {
    const { code, stdout, stderr, loaded } = await endAtStart({ app });
    expect({ code, stderr, loaded }).toEqual({ code: 0, stderr: '', loaded: 1 });
    expect(stdout).not.toContain('listening');
  });

  it('while the model is still being downloaded is clean', async () => {
    await using hub = await listen((_, response) => {
      // The rest never comes.
      response.writeHead(200, { 'content-length': 1_000 }).write('{');
    });
    const cacheDir = await mkdtemp(join(tmpdir(), 'morgan-e2e-'));
    const env = {
      EMBEDDING_MODEL: 'nobody/nothing',
      EMBEDDING_HUB_URL: hub.origin,
      EMBEDDING_CACHE_DIR: cacheDir,
    };
    try {
      const { code, stderr } = await endOfService({ app, env }, async (child) => {
        await waitFor(async () => (await files(cacheDir)).length > 0, { what: 'the beginning of a file' });
        child.kill('SIGTERM');
      });
      expect([code, stderr]).toEqual([0, '']);
      expect(await files(cacheDir)).toEqual([]);
    } finally {
      await rm(cacheDir, { recursive: true });
    }
  });

  it.each([0, 1, 2])('while the model loads, in %i processes so far, is clean', async (processes) => {
    const { code, stderr } = await endOfService({ app }, async (child) => {
      await urlOf(child);
      await waitFor(async () => (await modelProcesses(child)) >= processes, { what: 'the processes' });
      child.kill('SIGTERM');
    });
    expect([code, stderr]).toEqual([0, '']);
  });

  it('takes the grace period and no longer, however much there is to compute', async () => {
    const service = await startService({ app, env: { SHUTDOWN_GRACE_MS: '500' } });
    const cut = embed(
      service,
      Array.from({ length: 2_048 }, (_, index) => `${'a hundred long words '.repeat(40)}${index}`),
    ).then(
      () => 'answered',
      () => 'cut',
    );
    await waitFor(async () => /morgan_embedding_batches_total{[^}]+} [1-9]/.test(await metricsOf(service)), {
      what: 'the first batch',
      timeoutMs: 30_000,
    });
    const { code } = await service.stop();
    // It has work for minutes.
    expect([await cut, code]).toEqual(['cut', 0]);
  });
});

describe('with Redis', () => {
  it('replicas share what they have computed, and a lost Redis costs time, not answers', async () => {
    await using redis = await startRedis();
    const env = { REDIS_URL: redis.url, EMBEDDING_WORKERS: '1' };
    await using one = await startService({ app, env });
    await using two = await startService({ app, env });
    const input = ['shared by all', 'and this'];
    const first = (await (await embed(one, input)).json()) as object;
    await waitFor(
      async () => {
        expect(await (await embed(two, input)).json()).toEqual(first);
        return lastHits(two) === 2;
      },
      { what: 'hits in the other replica' },
    );
    await redis.kill();
    const without = await embed(two, input);
    expect([without.status, await without.json()]).toEqual([200, first]);
    // What is in no memory of this replica.
    expect((await embed(two, ['new to it'])).status).toBe(200);
    expect((await fetch(`${two.url}/readyz`)).status).toBe(200);
    await waitFor(
      async () =>
        ((await (await fetch(`${two.url}/health`)).json()) as { status: string }).status === 'degraded',
      { what: 'degraded health' },
    );
    expect(await metricsOf(two)).toMatch(/morgan_cache_requests_total\{result="error"\} [1-9]/);
    await redis.restart();
    await waitFor(async () => (await embed(two, input)).ok && lastHits(two) === 2, {
      what: 'hits after the return',
    });
  });
});

const KEY = { authorization: 'Bearer between-services' };

describe('a service with a key', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService({
      app,
      env: { API_KEYS: 'between-services', LOG_LEVEL: 'debug', EMBEDDING_WORKERS: '1' },
    });
  });
  afterAll(() => service.stop());

  it('behind the gateway answers the official client, errors included', async () => {
    await using host = await startFakeLlmHost();
    await using gateway = await startService({
      app: 'llm-service',
      env: {
        LLM_HOSTS: `one=${host.url}`,
        EMBEDDING_URL: `${service.url}/v1`,
        EMBEDDING_API_KEY: 'between-services',
      },
    });
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 });
    const { data, response } = await client.embeddings
      .create({ model: 'default', input: ['a', 'b'] })
      .withResponse();
    expect(data.data.map(({ embedding }) => embedding.length)).toEqual([512, 512]);
    expect(response.headers.get('x-morgan-host')).toBe('embedding-service');
    await expect(client.embeddings.create({ model: 'nope', input: 'x' })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual([
      'simulated',
      'universal-sentence-encoder-lite',
    ]);
  });

  it('never logs a text or a key', async () => {
    await embed(service, 'a secret thought', KEY);
    await embed(service, ['a secret thought', 7], KEY);
    await embed(service, ['a secret thought', ''], KEY);
    await embed(service, 'a secret thought', { authorization: 'Bearer not-the-key' });
    const refused = () =>
      service.logs.filter(
        ({ msg, status, route }) => msg === 'request' && status !== 200 && route === '/v1/embeddings',
      );
    await waitFor(() => refused().length >= 3, { what: 'the request lines' });
    expect(JSON.stringify(service.logs)).not.toMatch(/secret thought|between-services|not-the-key/);
  });

  it('outlives SIGHUP, which changes nothing here, and says so', async () => {
    service.process.kill('SIGHUP');
    await waitFor(() => service.logs.some(({ msg }) => String(msg).startsWith('SIGHUP changes nothing')), {
      what: 'the line about it',
    });
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  });

  it('lets a request in flight finish when it is stopped, then exits 0', async () => {
    const texts = Array.from({ length: 64 }, (_, index) => `${'many words '.repeat(20)}${index}`);
    const response = embed(service, texts, KEY);
    await waitFor(async () => /requests_in_flight 2/.test(await metricsOf(service, KEY)), {
      what: 'the request in flight',
    });
    const stopped = service.stop();
    expect((await response).status).toBe(200);
    expect(await stopped).toMatchObject({ code: 0, signal: null });
  });
});
