import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FakeLlmHost, type FakeLlmHostOptions, startFakeLlmHost } from '@morgan/fake-llm-host';
import {
  endAtStart,
  endOfService,
  postJson,
  type RunningService,
  startService,
  waitFor,
} from '@morgan/testing';

const CHAT = { model: 'simulated', messages: [{ role: 'user', content: 'a secret thought' }] };

const chat = (url: string, body: object, headers: Record<string, string> = {}) =>
  postJson(`${url}/v1/chat/completions`, body, headers);

let host: FakeLlmHost;
let gateway: RunningService;

/** One host and one gateway for the tests of a suite; the last of them may stop the gateway. */
function stage(hostOptions: FakeLlmHostOptions, env: Record<string, string> = {}): void {
  beforeAll(async () => {
    host = await startFakeLlmHost(hostOptions);
    gateway = await startService({ app: 'llm-service', env: { LLM_HOSTS: `one=${host.url}`, ...env } });
  });
  afterAll(async () => {
    await gateway.stop();
    await host.close();
  });
}

describe('a start', () => {
  it('with a broken configuration names every fault, opens no port and exits 1', async () => {
    const env = { PORT: 'eighty', LLM_HOSTS: 'gpu1=ftp://x', SHUTDOWN_GRACE_MS: '-1' };
    const { code, stdout, stderr } = await endOfService({ app: 'llm-service', env });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/cannot start.*3 faults/);
    expect(stderr).toMatch(/llmService\.http\.port.*PORT/);
    expect(stderr).toMatch(/llmService\.upstream\.hosts.*LLM_HOSTS/);
    expect(stderr).toMatch(/llmService\.http\.shutdownGraceMs.*SHUTDOWN_GRACE_MS/);
  });

  it('by a Node that is too old is one clear sentence', async () => {
    const older =
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })";
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(older)}` };
    const { code, stdout, stderr } = await endOfService({ app: 'llm-service', env });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^llm-service needs Node 24 or newer, and this is v\d+\.\d+\.\d+\..*\n$/);
  });

  it('on a port in use is one clear sentence', async () => {
    await using taken = await startFakeLlmHost();
    const { port } = new URL(taken.url);
    const env = { PORT: port, LLM_HOSTS: `one=${taken.url}` };
    const { code, stderr } = await endOfService({ app: 'llm-service', env });
    expect([code, stderr]).toEqual([
      1,
      `llm-service cannot start. Port ${port} on 127.0.0.1 is in use; choose another one with PORT.\n`,
    ]);
  });

  it('that is stopped at once obeys: its handler is there before anything else is loaded', async () => {
    const env = { LLM_HOSTS: 'one=http://127.0.0.1:9/v1' };
    const { code, stdout, stderr, loaded } = await endAtStart({ app: 'llm-service', env });
    expect({ code, stderr, loaded }).toEqual({ code: 0, stderr: '', loaded: 1 });
    expect(stdout).not.toContain('listening');
  });

  it('gives back the space of young objects that it made V8 take: 30 MB', async () => {
    const env = { LLM_HOSTS: 'one=http://127.0.0.1:9/v1' };
    await using service = await startService({ app: 'llm-service', env });
    const size = /^nodejs_heap_space_size_total_bytes\{space="new"\} (\d+)$/m;
    const youngBytes = async () =>
      Number(size.exec(await (await fetch(`${service.url}/metrics`)).text())?.[1]);
    // Whoever asks all the time keeps the service from a quiet second.
    await waitFor(async () => (await youngBytes()) < 5_000_000, {
      what: 'a small young space',
      longestPollMs: 1_000,
    });
  });
});

describe('a service without keys', () => {
  stage({ answer: 'one two three four five six', tokensPerSecond: 20 });

  it('warns that every caller is accepted', () => {
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: 'no API keys are configured: every caller is accepted' }),
    );
  });

  it('counts what happened', async () => {
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

  it('documents its API with a page and a document', async () => {
    expect(await (await fetch(`${gateway.url}/docs`)).text()).toContain('swagger-ui');
    const { paths } = (await (await fetch(`${gateway.url}/docs/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/v1/chat/completions', '/v1/models', '/readyz']),
    );
  });

  it('goes out of rotation when it is stopped, lets a stream finish, then exits 0', async () => {
    const response = await chat(gateway.url, { ...CHAT, stream: true });
    const body = response.text();
    const stopped = gateway.stop();
    await waitFor(async () => (await fetch(`${gateway.url}/readyz`)).status === 503, { what: 'not ready' });
    expect(await body).toMatch(/six[^]*\[DONE\]/);
    expect(await stopped).toMatchObject({ code: 0, signal: null });
  });
});

describe('a service whose only host is down', () => {
  stage({ fault: { kind: 'refuse' } }, { SHUTDOWN_GRACE_MS: '200' });

  it('is ready, which is about the process: callers get a clear answer', async () => {
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    const health = (await (await fetch(`${gateway.url}/health`)).json()) as { details: object };
    expect(health.details).toMatchObject({ llm_hosts: { status: 'degraded', one: { state: 'UNHEALTHY' } } });
    expect((await chat(gateway.url, CHAT)).status).toBe(503);
  });

  it('cuts what is still in flight when the grace period of a stop is over, and still exits 0', async () => {
    await host.setFault({ kind: 'stall-in-stream', afterChunks: 3 });
    const response = await chat(gateway.url, { ...CHAT, stream: true });
    expect(response.status).toBe(200);
    const body = expect(response.text()).rejects.toThrow();
    const { code, durationMs } = await gateway.stop();
    await body;
    expect(code).toBe(0);
    expect(durationMs).toBeGreaterThan(190);
  });
});

describe('a service whose readiness follows its hosts', () => {
  stage({}, { LLM_PROBE_INTERVAL_MS: '50', LLM_READINESS: 'hosts' });

  it('takes no traffic while there is no host', async () => {
    const ready = async () => (await fetch(`${gateway.url}/readyz`)).status;
    expect(await ready()).toBe(200);
    await host.setFault({ kind: 'refuse' });
    await waitFor(async () => (await ready()) === 503, { what: 'not ready' });
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    await host.setFault(undefined);
    await waitFor(async () => (await ready()) === 200, { what: 'ready again' });
  });
});

describe('a service with keys, configured by a file with values from the environment', () => {
  beforeAll(async () => {
    host = await startFakeLlmHost({ apiKey: 'the-hosts-key' });
    gateway = await startService({
      app: 'llm-service',
      env: { HOST_KEY: 'the-hosts-key', API_KEYS: 'first-key,second-key', LOG_LEVEL: 'debug' },
      config: {
        llmService: { upstream: { hosts: [{ name: 'one', url: host.url, apiKey: '${HOST_KEY}' }] } },
        embeddingService: { whatever: 'is not ours' },
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await host.close();
  });

  it('asks for a key, and refuses a wrong one with 401', async () => {
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

  it('logs one line per request, and nothing of what was said or of any key', async () => {
    const key = { authorization: 'Bearer first-key' };
    const good = await chat(gateway.url, CHAT, { ...key, 'x-request-id': 'good' });
    expect(good.headers.get('x-morgan-host')).toBe('one');
    await good.text();
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
    const ids = ['good', 'bad', 'worse', 'failed'];
    await waitFor(() => ids.every((id) => lines(id).length > 0), { what: 'the request lines' });
    for (const id of ids) expect(lines(id)).toHaveLength(1);
    expect(lines('good')[0]).toMatchObject({ status: 200, host: 'one', route: '/v1/chat/completions' });
    const scraped = await fetch(`${gateway.url}/metrics`, { headers: key });
    expect(scraped.status).toBe(200);
    const everything = JSON.stringify(gateway.logs) + (await scraped.text());
    expect(everything).not.toMatch(/secret thought|the-hosts-key|first-key|second-key|wrong-key/);
  });
});
