import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startFakeLlmHost } from '@morgan/fake-llm-host';
import { type RunningService, startRedis, startService, waitFor } from '@morgan/testing';
import OpenAI from 'openai';

const MAIN = join(import.meta.dirname, '../../../dist/apps/embedding-service/main.js');

const embed = (service: RunningService, input: unknown, headers: Record<string, string> = {}) =>
  fetch(`${service.url}/v1/embeddings`, {
    method: 'POST',
    body: JSON.stringify({ model: 'default', input }),
    headers: { 'content-type': 'application/json', ...headers },
  });

async function run(
  env: Record<string, string>,
  meanwhile: (child: ChildProcess) => Promise<void> = () => Promise.resolve(),
) {
  const child = spawn(process.execPath, [MAIN], { env: { LOG_LEVEL: 'silent', PORT: '0', ...env } });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [[code]] = (await Promise.all([once(child, 'close'), meanwhile(child)])) as [[number], void];
  return { code, output };
}

async function files(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

const lastHits = (service: RunningService) =>
  service.logs.filter((line) => line['msg'] === 'request' && line['route'] === '/v1/embeddings').at(-1)?.[
    'cacheHits'
  ];

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
    const { code, output } = await run(env);
    expect(code).toBe(1);
    expect(output).toMatch(message);
  });

  it('is alive before it is ready, and ready only with the model', async () => {
    const child = spawn(process.execPath, [MAIN], { env: { LOG_FORMAT: 'json', PORT: '0' } });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const lines = [line.toString()];
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
    const url = await waitFor(() => /"url":"([^"]+)"/.exec(lines.join(''))?.[1], { what: 'the port' });
    const early = await fetch(`${url}/readyz`);
    const live = await fetch(`${url}/livez`);
    expect([early.status, live.status]).toEqual([503, 200]);
    await waitFor(async () => (await fetch(`${url}/readyz`)).ok, { what: 'the model', timeoutMs: 15_000 });
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });
});

/** Reports through IPC how many modules were loaded when the handler for SIGTERM came. */
const WATCH_START = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  let loaded = 0;
  registerHooks({ load: (url, context, next) => { loaded += 1; return next(url, context); } });
  process.on('newListener', (name) => name === 'SIGTERM' && process.send(loaded, () => process.disconnect()));
`)}`;

describe('a stop at the very start', () => {
  it('is obeyed: its handler is there before anything else is loaded', async () => {
    const child = spawn(process.execPath, ['--import', WATCH_START, MAIN], {
      env: { LOG_FORMAT: 'json', PORT: '0', ...{} },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const closed = once(child, 'close');
    const [loaded] = (await once(child, 'message')) as [number];
    expect(loaded).toBe(1);
    child.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(output).not.toContain('listening');
  });
});

describe('a stop', () => {
  it('while the model is still being downloaded is clean', async () => {
    const hub = createServer((_, response) => {
      // The rest never comes.
      response.writeHead(200, { 'content-length': 1_000 }).write('{');
    }).listen(0, '127.0.0.1');
    await once(hub, 'listening');
    const cacheDir = await mkdtemp(join(tmpdir(), 'morgan-e2e-'));
    const env = {
      EMBEDDING_MODEL: 'nobody/nothing',
      EMBEDDING_HUB_URL: `http://127.0.0.1:${(hub.address() as AddressInfo).port}`,
      EMBEDDING_CACHE_DIR: cacheDir,
    };
    try {
      const exit = await run(env, async (child) => {
        await waitFor(async () => (await files(cacheDir)).length > 0, { what: 'the beginning of a file' });
        child.kill('SIGTERM');
      });
      expect(exit).toEqual({ code: 0, output: '' });
      expect(await files(cacheDir)).toEqual([]);
    } finally {
      hub.closeAllConnections();
      hub.close();
      await rm(cacheDir, { recursive: true });
    }
  });
});

describe('a stop, whatever is under way', () => {
  it.each([0, 120, 240, 360, 500])('%i ms into the loading of the model is clean', async (afterMs) => {
    const exit = await run({ LOG_LEVEL: 'info', LOG_FORMAT: 'json', HOST: '127.0.0.1' }, async (child) => {
      let output = '';
      child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await waitFor(() => output.includes('"listening"'), { what: 'the port', timeoutMs: 30_000 });
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      child.kill('SIGTERM');
    });
    expect(exit).toEqual({ code: 0, output: '' });
  });

  it('takes the grace period and no longer, however much there is to compute', async () => {
    const service = await startService({
      app: 'embedding-service',
      env: { SHUTDOWN_GRACE_MS: '500' },
      readyWithinMs: 60_000,
    });
    const cut = embed(
      service,
      Array.from({ length: 2_048 }, (_, index) => `${'a hundred long words '.repeat(40)}${index}`),
    ).then(
      () => 'answered',
      () => 'cut',
    );
    await waitFor(
      async () =>
        !/morgan_embedding_batches_total{[^}]+} 0/.test(await (await fetch(`${service.url}/metrics`)).text()),
      { what: 'the first batch', timeoutMs: 30_000 },
    );
    const { code, durationMs } = await service.stop();
    expect([await cut, code]).toEqual(['cut', 0]);
    // It has work for minutes.
    expect(durationMs).toBeLessThan(10_000);
  });
});

describe('with Redis', () => {
  it('replicas share what they have computed, and a lost Redis costs time, not answers', async () => {
    await using redis = await startRedis();
    const env = { REDIS_URL: redis.url };
    await using one = await startService({ app: 'embedding-service', env });
    await using two = await startService({ app: 'embedding-service', env });
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
    expect(await (await fetch(`${two.url}/metrics`)).text()).toMatch(
      /morgan_cache_requests_total\{result="error"\} [1-9]/,
    );
    await redis.restart();
    await waitFor(async () => (await embed(two, input)).ok && lastHits(two) === 2, {
      what: 'hits after the return',
    });
  });
});

describe('behind the gateway', () => {
  it('answers the official client, errors included', async () => {
    await using host = await startFakeLlmHost();
    await using service = await startService({
      app: 'embedding-service',
      env: { API_KEYS: 'between-services' },
    });
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
});

describe('a stop', () => {
  it('lets a request in flight finish, then exits 0', async () => {
    const service = await startService({ app: 'embedding-service' });
    const response = embed(
      service,
      Array.from({ length: 64 }, (_, index) => `${'many words '.repeat(20)}${index}`),
    );
    await waitFor(
      async () => /requests_in_flight 2/.test(await (await fetch(`${service.url}/metrics`)).text()),
      { what: 'the request in flight' },
    );
    const stopped = service.stop();
    expect((await response).status).toBe(200);
    expect(await stopped).toMatchObject({ code: 0, signal: null });
  });
});

describe('logs', () => {
  it('never hold a text or a key', async () => {
    await using service = await startService({
      app: 'embedding-service',
      env: { API_KEYS: 'the-callers-key', LOG_LEVEL: 'debug' },
    });
    const key = { authorization: 'Bearer the-callers-key' };
    await embed(service, 'a secret thought', key);
    await embed(service, ['a secret thought', 7], key);
    await embed(service, ['a secret thought', ''], key);
    await embed(service, 'a secret thought', { authorization: 'Bearer not-the-key' });
    await waitFor(
      () => service.logs.filter((line) => line['msg'] === 'request' && line['status'] !== 200).length >= 3,
      {
        what: 'the request lines',
      },
    );
    expect(JSON.stringify(service.logs)).not.toMatch(/secret thought|the-callers-key|not-the-key/);
  });
});
