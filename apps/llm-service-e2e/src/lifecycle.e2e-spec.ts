import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startFakeLlmHost } from '@morgan/fake-llm-host';
import { startService, waitFor } from '@morgan/testing';

const MAIN = join(import.meta.dirname, '../../../dist/apps/llm-service/main.js');
const CHAT = { model: 'simulated', messages: [{ role: 'user', content: 'a secret thought' }] };

const chat = (url: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

/** Runs the service expecting it to end by itself. */
async function run(env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN], { env: { LOG_LEVEL: 'silent', ...env } });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

describe('a start', () => {
  it('with a broken configuration names every fault, opens no port and exits 1', async () => {
    const { code, output } = await run({
      PORT: 'eighty',
      LLM_HOSTS: 'gpu1=ftp://x',
      SHUTDOWN_GRACE_MS: '-1',
    });
    expect(code).toBe(1);
    expect(output).toMatch(/cannot start.*3 faults/);
    expect(output).toMatch(/llmService\.http\.port.*PORT/);
    expect(output).toMatch(/llmService\.upstream\.hosts.*LLM_HOSTS/);
    expect(output).toMatch(/llmService\.http\.shutdownGraceMs.*SHUTDOWN_GRACE_MS/);
  });

  it('without a host says how to name one', async () => {
    const { code, output } = await run({});
    expect(code).toBe(1);
    expect(output).toContain('LLM_HOSTS="gpu1=');
  });

  it('on a port in use is one clear sentence', async () => {
    await using host = await startFakeLlmHost();
    const { port } = new URL(host.url);
    const { code, output } = await run({ PORT: port, LLM_HOSTS: `one=${host.url}` });
    expect(code).toBe(1);
    expect(output.trim()).toBe(
      `llm-service cannot start. Port ${port} on 127.0.0.1 is in use; choose another one with PORT.`,
    );
  });

  it('takes its hosts from a YAML file with values from the environment', async () => {
    await using host = await startFakeLlmHost({ apiKey: 'the-hosts-key' });
    await using gateway = await startService({
      app: 'llm-service',
      env: { HOST_KEY: 'the-hosts-key' },
      config: {
        llmService: { upstream: { hosts: [{ name: 'one', url: host.url, apiKey: '${HOST_KEY}' }] } },
        embeddingService: { whatever: 'is not ours' },
      },
    });
    expect((await chat(gateway.url, CHAT)).headers.get('x-morgan-host')).toBe('one');
  });
});

describe('readiness', () => {
  it('is about the process: callers get a clear answer while the hosts are down', async () => {
    await using gateway = await startService({
      app: 'llm-service',
      env: { LLM_HOSTS: 'one=http://127.0.0.1:9/v1' },
    });
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    const health = (await (await fetch(`${gateway.url}/health`)).json()) as { details: object };
    expect(health.details).toMatchObject({ llm_hosts: { status: 'degraded', one: { state: 'UNHEALTHY' } } });
    expect((await chat(gateway.url, CHAT)).status).toBe(503);
  });

  it('follows the hosts where that is configured: no host, no traffic', async () => {
    await using host = await startFakeLlmHost();
    await using gateway = await startService({
      app: 'llm-service',
      env: { LLM_HOSTS: `one=${host.url}`, LLM_PROBE_INTERVAL_MS: '50', LLM_READINESS: 'hosts' },
    });
    const ready = async () => (await fetch(`${gateway.url}/readyz`)).status;
    expect(await ready()).toBe(200);
    await host.setFault({ kind: 'refuse' });
    await waitFor(async () => (await ready()) === 503, { what: 'not ready' });
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    await host.setFault(undefined);
    await waitFor(async () => (await ready()) === 200, { what: 'ready again' });
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
      env: { LOG_FORMAT: 'json', PORT: '0', ...{ LLM_HOSTS: 'one=http://127.0.0.1:9/v1' } },
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
  it('goes out of rotation first, lets a stream finish, then exits 0', async () => {
    await using host = await startFakeLlmHost({ answer: 'one two three four five six', tokensPerSecond: 10 });
    const gateway = await startService({ app: 'llm-service', env: { LLM_HOSTS: `one=${host.url}` } });
    const response = await chat(gateway.url, { ...CHAT, stream: true });
    const body = response.text();
    const stopped = gateway.stop();
    await waitFor(async () => (await fetch(`${gateway.url}/readyz`)).status === 503, { what: 'not ready' });
    expect(await body).toMatch(/six[^]*\[DONE\]/);
    expect(await stopped).toMatchObject({ code: 0, signal: null });
  });

  it('cuts what is still in flight when the grace period is over, and still exits 0', async () => {
    await using host = await startFakeLlmHost();
    await host.setFault({ kind: 'stall-in-stream', afterChunks: 3 });
    const gateway = await startService({
      app: 'llm-service',
      env: { LLM_HOSTS: `one=${host.url}`, SHUTDOWN_GRACE_MS: '200' },
    });
    const response = await chat(gateway.url, { ...CHAT, stream: true });
    const body = expect(response.text()).rejects.toThrow();
    const { code, durationMs } = await gateway.stop();
    await body;
    expect(code).toBe(0);
    expect(durationMs).toBeGreaterThan(190);
    expect(durationMs).toBeLessThan(5_000);
  });
});

describe('keys', () => {
  it('are asked for when they are configured, and refused with 401 when wrong', async () => {
    await using host = await startFakeLlmHost();
    await using gateway = await startService({
      app: 'llm-service',
      env: { LLM_HOSTS: `one=${host.url}`, API_KEYS: 'first-key,second-key' },
    });
    const status = async (key?: string) =>
      (await chat(gateway.url, CHAT, key === undefined ? {} : { authorization: `Bearer ${key}` })).status;
    expect([
      await status(),
      await status('wrong-key'),
      await status('first-key'),
      await status('second-key'),
    ]).toEqual([401, 401, 200, 200]);
    const scrape = async (headers: Record<string, string>) =>
      (await fetch(`${gateway.url}/metrics`, { headers })).status;
    expect([await scrape({}), await scrape({ 'x-api-key': 'first-key' })]).toEqual([401, 200]);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    const refused = await chat(gateway.url, CHAT);
    expect(refused.headers.get('x-morgan-host')).toBe('gateway');
  });

  it('that are missing from the configuration are warned of', async () => {
    await using host = await startFakeLlmHost();
    await using gateway = await startService({ app: 'llm-service', env: { LLM_HOSTS: `one=${host.url}` } });
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: 'no API keys are configured: every caller is accepted' }),
    );
  });
});

describe('logs and metrics', () => {
  it('tell one line per request, and nothing of what was said or of any key', async () => {
    await using host = await startFakeLlmHost({ apiKey: 'the-hosts-key' });
    await using gateway = await startService({
      app: 'llm-service',
      env: {
        LLM_HOSTS: `one=${host.url};apiKey=the-hosts-key`,
        API_KEYS: 'the-callers-key',
        LOG_LEVEL: 'debug',
      },
    });
    const key = { authorization: 'Bearer the-callers-key' };
    await (await chat(gateway.url, CHAT, { ...key, 'x-request-id': 'good' })).text();
    await chat(gateway.url, { ...CHAT, messages: 'a secret thought' }, { ...key, 'x-request-id': 'bad' });
    await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: '{"a secret thought',
      headers: { ...key, 'content-type': 'application/json', 'x-request-id': 'worse' },
    });
    await host.setFault({ kind: 'reset-before-headers' });
    await chat(gateway.url, CHAT, { ...key, 'x-request-id': 'failed' });
    const lines = (id: string) =>
      gateway.logs.filter((line) => line['msg'] === 'request' && line['requestId'] === id);
    await waitFor(() => lines('failed').length > 0, { what: 'the last request line' });
    for (const id of ['good', 'bad', 'worse', 'failed']) expect(lines(id)).toHaveLength(1);
    expect(lines('good')[0]).toMatchObject({ status: 200, host: 'one', route: '/v1/chat/completions' });
    const scraped = await fetch(`${gateway.url}/metrics`, { headers: key });
    expect(scraped.status).toBe(200);
    const everything = JSON.stringify(gateway.logs) + (await scraped.text());
    expect(everything).not.toMatch(/secret thought|the-hosts-key|the-callers-key/);
  });

  it('count what happened', async () => {
    await using host = await startFakeLlmHost();
    await using gateway = await startService({ app: 'llm-service', env: { LLM_HOSTS: `one=${host.url}` } });
    await (await chat(gateway.url, CHAT)).text();
    await chat(gateway.url, {});
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(text).toContain(
      'morgan_http_requests_total{method="POST",route="/v1/chat/completions",status="200"} 1',
    );
    expect(text).toContain(
      'morgan_http_errors_total{route="/v1/chat/completions",code="missing_required_parameter"} 1',
    );
    expect(text).toContain('morgan_llm_host_requests_total{host="one",outcome="ok"} 1');
  });
});

describe('the API documentation', () => {
  it('is a page and a document', async () => {
    await using host = await startFakeLlmHost();
    await using gateway = await startService({ app: 'llm-service', env: { LLM_HOSTS: `one=${host.url}` } });
    expect(await (await fetch(`${gateway.url}/docs`)).text()).toContain('swagger-ui');
    const { paths } = (await (await fetch(`${gateway.url}/docs/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/v1/chat/completions', '/v1/models', '/readyz']),
    );
  });
});
