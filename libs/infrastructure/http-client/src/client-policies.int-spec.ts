import { afterEach, describe, expect, it } from '@jest/globals';
import type { LogFields } from '@morgan/foundation';
import { waitFor } from '@morgan/testing';
import { codeOf, hang, openClient } from '../fixture/open-client.ts';
import { respond, ScriptedServer } from '../fixture/scripted-server.ts';
import { HttpClient } from './http-client.ts';
import type { HttpClientError } from './http-client-error.ts';

let server: ScriptedServer;
let client: HttpClient;

async function clientOf(...given: Parameters<typeof openClient>): Promise<void> {
  ({ server, client } = await openClient(...given));
}

afterEach(async () => {
  await client.stop(0);
  await server.close();
});

describe('the policies', () => {
  it('open the circuit after five failures, refuse at once, and are told by status, probe and log', async () => {
    const lines: [string, string, LogFields][] = [];
    const say = (level: string) => (fields: LogFields, line: string) =>
      void lines.push([level, line, fields]);
    server = new ScriptedServer([respond(500)]);
    const baseUrl = `http://127.0.0.1:${await server.listen()}`;
    const retry = { maxRetries: 0 };
    const logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
    client = new HttpClient({ serviceName: 'server', baseUrl, retry, logger });
    for (let call = 0; call < 5; call += 1) await codeOf(client.get('/'));
    await expect(client.get('/')).rejects.toMatchObject({
      category: 'refused',
      code: 'circuit_open',
      attempt: 0,
      retryable: true,
      retryAfterMs: expect.any(Number) as unknown,
    });
    expect(server.requests).toHaveLength(5);
    expect(client.getStatus()).toMatchObject({
      requests: 6,
      errors: 6,
      errorRate: 1,
      errorsByCategory: { server_error: 5, refused: 1 },
      circuitBreaker: { state: 'OPEN' },
    });
    expect(client.indicator().read()).toEqual({ up: false, details: { circuit: 'OPEN' } });
    expect(lines).toEqual([
      ['warn', 'circuit is OPEN', { breaker: 'server', from: 'CLOSED', reason: 'consecutive_failures' }],
    ]);
  });

  it('refuse for an open circuit before anything is waited for or used up', async () => {
    await clientOf([respond(500)], {
      retry: { maxRetries: 0 },
      circuitBreaker: { failureThreshold: 1 },
      rateLimit: { requestsPerSecond: 0.1, burst: 1 },
    });
    expect(await codeOf(client.get('/'))).toBe('http_500');
    expect(await codeOf(client.get('/'))).toBe('circuit_open');
    expect(client.getStatus().rateLimit).toMatchObject({ admitted: 1, refused: 0 });
  });

  it('take a service with an open circuit out of rotation no longer than until a call may close it', async () => {
    await clientOf([respond(500)], {
      retry: { maxRetries: 0 },
      circuitBreaker: { failureThreshold: 1, resetTimeoutMs: 1_000, resetJitter: 0 },
    });
    const probe = client.indicator();
    await codeOf(client.get('/'));
    expect(probe.read()).toEqual({ up: false, details: { circuit: 'OPEN' } });
    await waitFor(() => probe.read().up, { what: 'the end of the wait' });
    expect(probe.read()).toEqual({ up: true, details: { circuit: 'OPEN' } });
  });

  it('do not wait for a circuit to close', async () => {
    await clientOf([respond(500)], { retry: { baseDelayMs: 1 }, circuitBreaker: { failureThreshold: 2 } });
    const startedAt = performance.now();
    expect(await codeOf(client.get('/'))).toBe('circuit_open');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(server.requests).toHaveLength(2);
  });

  it('never hold against the host what its caller did', async () => {
    await clientOf([respond(404), hang], { circuitBreaker: { failureThreshold: 1 } });
    expect(await codeOf(client.get('/'))).toBe('http_404');
    const caller = new AbortController();
    const call = codeOf(client.get('/', { signal: caller.signal }));
    await waitFor(() => server.requests.length === 2, { what: 'the request' });
    caller.abort();
    expect(await call).toBe('client_closed_request');
    expect(client.getStatus().circuitBreaker).toMatchObject({ state: 'CLOSED' });
  });

  it('limit the rate of requests, each attempt counted', async () => {
    await clientOf([respond(503), respond(200)], {
      retry: { baseDelayMs: 1 },
      rateLimit: { requestsPerSecond: 3, maxWaitMs: 0 },
    });
    expect((await client.get('/')).attempt).toBe(2);
    expect((await client.get('/')).attempt).toBe(1);
    await expect(client.get('/')).rejects.toMatchObject({
      category: 'rate_limited',
      code: 'rate_limited',
      status: undefined,
      attempt: 0,
    });
    expect(server.requests).toHaveLength(3);
    expect(client.getStatus().rateLimit).toMatchObject({ admitted: 3, refused: 1 });
  });

  it('limit the rate to less than one a second as well, whatever the algorithm', async () => {
    await clientOf([respond(200)], {
      rateLimit: { requestsPerSecond: 0.5, algorithm: 'sliding-window', maxWaitMs: 0 },
    });
    await client.get('/');
    const refusal = (await client.get('/').catch((error: unknown) => error)) as HttpClientError;
    expect(refusal.code).toBe('rate_limited');
    expect(Math.round((refusal.retryAfterMs ?? 0) / 1_000)).toBe(2);
  });

  it.each([
    ['as long as it asks', respond(429, '', ['retry-after-ms: 60000']), 60_000],
    ['until there is room again, where it does not say', respond(429), 10_000],
  ])('wait for a host that answers 429, %s', async (_, turn, waitMs) => {
    await clientOf([turn, respond(200)], {
      retry: { maxRetries: 0 },
      rateLimit: { requestsPerSecond: 0.1, burst: 5, maxWaitMs: 0 },
    });
    expect(await codeOf(client.get('/'))).toBe('http_429');
    const refusal = (await client.get('/').catch((error: unknown) => error)) as HttpClientError;
    expect(refusal.code).toBe('rate_limited');
    const slack = 1_000;
    expect(refusal.retryAfterMs).toBeGreaterThan(waitMs - slack);
    // A little later than it asked, so that not all come back at once.
    expect(refusal.retryAfterMs).toBeLessThanOrEqual(waitMs * 1.25);
    expect(server.requests).toHaveLength(1);
  });

  it('let only so many requests run at a time', async () => {
    await clientOf([hang], { concurrency: { maxConcurrent: 2, maxQueue: 1 } });
    const calls = Array.from({ length: 4 }, () => codeOf(client.get('/')));
    await waitFor(() => server.requests.length === 2, { what: 'two requests' });
    expect(client.getStatus().concurrency).toMatchObject({ running: 2, waiting: 1, refused: { full: 1 } });
    expect(await calls[3]).toBe('bulkhead_full');
    await client.stop(0);
    expect(await Promise.all(calls.slice(0, 3))).toEqual(['closed', 'closed', 'closed']);
  });

  it('hedge a slow call, take the first response and end the other', async () => {
    await clientOf([hang, respond(200, 'second')], { hedge: { delayMs: 20 } });
    const response = await client.get('/');
    expect([response.text(), response.attempt]).toEqual(['second', 2]);
    expect(client.getStatus().hedge?.outcomes).toEqual({ won: 1, lost: 0, failed: 0 });
    await waitFor(() => client.getStatus().pool.running === 0, { what: 'the end of the first' });
  });

  it('cut an attempt short that takes longer than its host does', async () => {
    await clientOf([respond(200)], {
      timeout: { adaptive: { minSamples: 5, floorMs: 50, ceilingMs: 10_000 } },
      retry: { maxRetries: 0 },
    });
    for (let call = 0; call < 5; call += 1) await client.get('/');
    expect(client.getStatus().adaptiveTimeout?.boundMs).toBeLessThan(5_000);
    server.turns = [hang];
    await expect(client.get('/')).rejects.toMatchObject({ category: 'timeout', code: 'attempt_timeout' });
  });

  it('find the number of requests that may run by themselves', async () => {
    await clientOf([respond(200)], { concurrency: { adaptive: { initialLimit: 7 } } });
    await client.get('/');
    expect(client.getStatus().concurrency).toMatchObject({
      maxConcurrent: 7,
      adaptive: { phase: expect.any(String) as unknown },
    });
  });
});

describe('health', () => {
  it('is checked on its own path, and hears of live calls', async () => {
    await clientOf(
      [respond(200)],
      {
        health: { path: '/healthz', liveFailureThreshold: 2 },
        circuitBreaker: { failureThreshold: 100 },
      },
      '/base',
    );
    expect(client.indicator().read().up).toBe(false);
    await client.start();
    expect(server.requests[0]).toMatch(/^GET \/base\/healthz HTTP/);
    expect(client.indicator({ name: 'it', required: false })).toMatchObject({ name: 'it', required: false });
    expect(client.indicator().read()).toEqual({ up: true, details: { state: 'HEALTHY' } });
    await client.get('/');
    server.turns = [respond(404)];
    await codeOf(client.get('/'));
    server.turns = [respond(429)];
    await codeOf(client.get('/', { timeoutMs: 200 }));
    expect(client.getStatus().health).toMatchObject({ state: 'HEALTHY', live: { ok: 2, failed: 0 } });
    server.turns = [respond(500)];
    await codeOf(client.get('/'));
    expect(client.getStatus().health).toMatchObject({ state: 'UNHEALTHY' });
    expect(client.indicator().read().up).toBe(false);
  });

  it.each([null, undefined, 'no error', Object.freeze({})])(
    'hears of a call whose own check throws %j, which is its cause',
    async (thrown) => {
      await clientOf([respond(200)], { health: {}, retry: { maxRetries: 0 } });
      const check = () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- JavaScript lets anything be thrown.
        throw thrown;
      };
      const failure = client.get('/', { check }).catch((error: unknown) => error);
      expect(await failure).toMatchObject({ name: 'HttpClientError', cause: thrown });
      expect(client.getStatus().health?.live).toEqual({ ok: 0, failed: 1 });
    },
  );

  it('learns nothing from a check that the end of the client cuts short', async () => {
    await clientOf([hang], { health: {} });
    const started = client.start();
    await waitFor(() => server.requests.length === 1, { what: 'the check' });
    await client.stop(0);
    await started;
    expect(client.getStatus().health).toMatchObject({ state: 'UNKNOWN', recentChecks: [] });
  });

  it('is good where a check is answered with 404: a living service said so', async () => {
    await clientOf([respond(404)], { health: {} });
    await client.start();
    expect(client.getStatus().health?.state).toBe('HEALTHY');
  });

  it('is not good where a check is answered with 5xx', async () => {
    await clientOf([respond(500)], { health: {} });
    await client.start();
    expect(client.getStatus().health).toMatchObject({
      state: 'UNHEALTHY',
      recentChecks: [{ verdict: 'failed', reason: 'http_500' }],
    });
  });
});
