import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { startFakeLlmHost } from '@morgan/fake-llm-host';
import { postJson, startService, waitFor } from '@morgan/testing';

const CHAT = { model: 'simulated', messages: [{ role: 'user', content: 'hello' }] };

const chat = (url: string, body: object = CHAT, headers: Record<string, string> = {}) =>
  postJson(`${url}/v1/chat/completions`, body, headers);
const codeOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string } }).error.code;
const metricsOf = async (url: string) => (await fetch(`${url}/metrics`)).text();

describe('a host that keeps failing', () => {
  it('is asked no more, and found again when it recovers', async () => {
    await using bad = await startFakeLlmHost({ fault: { kind: 'status', status: 500, times: 3 } });
    await using good = await startFakeLlmHost();
    await using gateway = await startService({
      app: 'llm-service',
      env: { LLM_HOSTS: `bad=${bad.url},good=${good.url}`, LLM_STRATEGY: 'round_robin' },
      config: {
        llmService: { upstream: { circuitBreaker: { failureThreshold: 3, resetTimeoutMs: 100 } } },
      },
    });
    const hostOf = async () => {
      const response = await chat(gateway.url);
      await response.arrayBuffer();
      return response.headers.get('x-morgan-host');
    };
    const logged = (message: string) =>
      gateway.logs.some(({ msg, breaker }) => msg === message && breaker === 'bad');
    await waitFor(async () => (await hostOf()) === 'good' && logged('circuit is OPEN'), {
      what: 'the breaker to open',
    });
    const health = (await (await fetch(`${gateway.url}/health`)).json()) as { details: object };
    expect(health.details).toMatchObject({
      llm_hosts: { status: 'up', good: { state: 'HEALTHY', circuit: 'CLOSED' }, bad: { state: 'HEALTHY' } },
    });
    await waitFor(async () => (await hostOf()) === 'bad', { what: 'the return of the host' });
    await waitFor(() => logged('circuit is CLOSED'), { what: 'the news of it' });
    const metrics = await metricsOf(gateway.url);
    expect(metrics).toContain('morgan_circuit_breaker_calls_total{breaker="bad",outcome="failure"} 3');
    expect(metrics).toContain(
      'morgan_retry_budget_total{client="llm_hosts",kind="fallback",outcome="granted"} 3',
    );
  });

  it('and is the only one is still asked, so that its return is seen by the next call', async () => {
    await using host = await startFakeLlmHost();
    await using gateway = await startService({ app: 'llm-service', env: { LLM_HOSTS: `one=${host.url}` } });
    await host.setFault({ kind: 'reset-before-headers' });
    for (let call = 0; call < 8; call += 1) expect(await codeOf(await chat(gateway.url))).toBe('host_error');
    await host.setFault(undefined);
    for (let call = 0; call < 3; call += 1) expect((await chat(gateway.url)).status).toBe(200);
  });
});

describe('a deadline', () => {
  it('reaches the host with what is left of it, and its end is a 504', async () => {
    await using host = await startFakeLlmHost();
    await using gateway = await startService({ app: 'llm-service', env: { LLM_HOSTS: `one=${host.url}` } });
    const inTime = await chat(gateway.url, CHAT, { 'x-morgan-deadline-ms': '30000' });
    expect(inTime.status).toBe(200);
    const left = Number((await host.nextRequest()).headers['x-morgan-deadline-ms']);
    expect(left).toBeLessThanOrEqual(30_000);
    expect(left).toBeGreaterThan(25_000);
    const broken = await chat(gateway.url, CHAT, { 'x-morgan-deadline-ms': 'soon' });
    expect(broken.headers.get('x-morgan-ignored')).toBe('x-morgan-deadline-ms');
    // What is left is the service's own limit.
    const own = Number((await host.nextRequest()).headers['x-morgan-deadline-ms']);
    expect(own).toBeLessThanOrEqual(600_000);
    expect(own).toBeGreaterThan(500_000);
    await host.setFault({ kind: 'stall-before-headers' });
    const startedAt = performance.now();
    const late = await chat(gateway.url, CHAT, { 'x-morgan-deadline-ms': '200' });
    const tookMs = performance.now() - startedAt;
    expect([late.status, await codeOf(late)]).toEqual([504, 'deadline_exceeded']);
    expect(tookMs).toBeGreaterThanOrEqual(150);
    await (await host.nextRequest()).whenAborted();
  });

  it('cuts a stream, which never looks like a clean end', async () => {
    await using host = await startFakeLlmHost({ fault: { kind: 'stall-in-stream', afterChunks: 3 } });
    await using gateway = await startService({ app: 'llm-service', env: { LLM_HOSTS: `one=${host.url}` } });
    const id = randomUUID();
    const headers = { 'x-morgan-deadline-ms': '1000', 'x-request-id': id };
    const response = await chat(gateway.url, { ...CHAT, stream: true }, headers);
    await expect(response.text()).rejects.toThrow();
    const line = await waitFor(
      () => gateway.logs.find(({ msg, requestId }) => msg === 'request' && requestId === id),
      { what: 'the request line' },
    );
    expect(line).toMatchObject({ errorCode: 'deadline_exceeded' });
    expect(await metricsOf(gateway.url)).toContain(
      'morgan_llm_host_requests_total{host="one",outcome="expired"} 1',
    );
  });
});
