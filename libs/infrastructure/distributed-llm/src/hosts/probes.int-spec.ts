import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { ClientBench, entry, send } from '../../fixture/client-bench.ts';
import { TestHosts } from '../../fixture/test-hosts.ts';

const DEAD_URL = 'http://127.0.0.1:9/v1';

describe('probes', () => {
  const bench = new ClientBench();
  let log: ClientBench['log'];
  const hosts = new TestHosts();

  beforeEach(() => {
    ({ log } = bench);
  });

  afterEach(async () => {
    jest.useRealTimers();
    await bench.close();
    await hosts.close();
  });

  it('tell how the hosts are, and what they serve', async () => {
    const [a, b] = [await hosts.fake({ models: ['x', 'y'] }), await hosts.fake({ models: ['y', 'z'] })];
    const client = bench.client([entry('a', a.url), entry('dead', DEAD_URL), entry('b', b.url)]);
    const details = (...states: string[]) => {
      const [first, dead, last] = states.map((state) => ({ state, circuit: 'CLOSED' }));
      return { a: first, dead, b: last };
    };
    expect(client.read()).toEqual({ up: false, details: details('UNKNOWN', 'UNKNOWN', 'UNKNOWN') });
    await client.start();
    expect(client.read()).toEqual({ up: true, details: details('HEALTHY', 'UNHEALTHY', 'HEALTHY') });
    expect([client.name, client.required]).toEqual(['llm_hosts', false]);
    expect(client.models().map(({ id }) => id)).toEqual(['x', 'y', 'z']);
    const [first, dead] = client.getStatus().hosts;
    expect(first).toMatchObject({ models: ['x', 'y'], requests: 0, circuit: { state: 'CLOSED' } });
    expect(first?.health?.responseTimes?.lastMs).toBeGreaterThan(0);
    expect(dead?.health?.recentChecks[0]).toMatchObject({ verdict: 'failed', reason: 'connect_refused' });
    expect(await bench.metric('morgan_health_state{target="a",state="HEALTHY"}')).toBe('1');
    expect(await bench.metric('morgan_health_state{target="dead",state="UNHEALTHY"}')).toBe('1');
    expect(log.map(({ level, target, message }) => `${level} ${String(target)} ${message}`).sort()).toEqual([
      'info a target is healthy',
      'info b target is healthy',
      'warn dead target is down',
    ]);
  });

  it('hide the models of a host that is down', async () => {
    const [a, b] = [await hosts.fake({ models: ['x'] }), await hosts.fake({ models: ['y'] })];
    const client = bench.client([entry('a', a.url), entry('b', b.url)], { probeIntervalMs: 10 });
    const models = () => client.models().map(({ id }) => id);
    await client.start();
    expect(models()).toEqual(['x', 'y']);
    await a.setFault({ kind: 'refuse' });
    await waitFor(() => models().join() === 'y', { what: 'the model to be hidden' });
    await a.setFault(undefined);
    await waitFor(() => models().join() === 'x,y', { what: 'the model to be back' });
  });

  it('keep model objects as the host describes them', async () => {
    const model = {
      id: 'm',
      object: 'model',
      created: 1,
      max_model_len: 8192,
      permission: [{ allow: true }],
    };
    const url = await hosts.plain((_, response) =>
      response.end(JSON.stringify({ data: [model, 'no model', {}] })),
    );
    const client = bench.client([entry('a', url)]);
    await client.start();
    expect(client.models()).toEqual([model]);
  });

  it.each<[string, RequestListener]>([
    ['401', (_, response) => void response.writeHead(401).end('no')],
    ['404', (_, response) => void response.writeHead(404).end('no')],
    ['HTML', (_, response) => void response.writeHead(200).end('<html>')],
    ['an empty list', (_, response) => void response.writeHead(200).end('{"data":[]}')],
    ['500', (_, response) => void response.writeHead(500).end('no')],
    ['nothing', () => undefined],
    ['half a list', (_, response) => void response.writeHead(200).write('{"data":[')],
  ])('that meet %s leave the host its share', async (_, listener) => {
    const odd = await hosts.plain((request, response) => {
      if (request.method === 'GET') return listener(request, response);
      request.resume().on('end', () => response.end('{"choices":[{}]}'));
    });
    const listing = await hosts.fake();
    const client = bench.client([entry('odd', odd), entry('listing', listing.url)], {
      probeTimeoutMs: 150,
    });
    jest.useFakeTimers(STOPPED_CLOCK);
    const started = client.start();
    await waitFor(() => client.getStatus().hosts[1]?.models.length, { what: 'the list' });
    jest.advanceTimersByTime(150);
    await started;
    jest.useRealTimers();
    expect(client.getStatus().hosts[0]).toMatchObject({ health: { state: 'HEALTHY' }, models: [] });
    const answered: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      const response = await send(client, { model: 'simulated' });
      await response.body.bytes();
      answered.push(response.host);
    }
    expect(answered.sort()).toEqual(['listing', 'listing', 'odd', 'odd']);
  });

  it.each<[string, object, string]>([
    ['its path, method and status', { path: '/../health', method: 'HEAD', expectedStatus: [204] }, 'HEALTHY'],
    ['a status that does not come', { expectedStatus: [299] }, 'UNHEALTHY'],
  ])('can be told %s', async (_, probe, state) => {
    const seen: string[] = [];
    const url = await hosts.plain((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.writeHead(request.url === '/health' ? 204 : 200).end('{"data":[{"id":"m"}]}');
    });
    const client = bench.client([entry('host', url, { probe })]);
    await client.start();
    expect(client.getStatus().hosts[0]).toMatchObject({ health: { state }, models: ['m'] });
    if ('path' in probe) expect(seen).toEqual(['HEAD /health', 'GET /v1/models']);
  });

  it.each([
    ['/../health', 200, 'HEALTHY'],
    ['/../health', 503, 'UNHEALTHY'],
    ['/health', 503, 'UNHEALTHY'],
    ['/models', 503, 'HEALTHY'],
  ])('ask %s, where the server has %i for /health, and find it %s', async (path, status, state) => {
    const url = await hosts.plain((request, response) => {
      const known: Record<string, number> = { '/health': status, '/v1/models': 500 };
      response.writeHead(known[request.url ?? ''] ?? 404).end();
    });
    const client = bench.client([entry('host', url, { probe: { path } })]);
    await client.start();
    expect(client.getStatus().hosts[0]).toMatchObject({ health: { state } });
  });

  it('can be left out', async () => {
    const host = await hosts.fake();
    const client = bench.client([entry('host', host.url, { probe: false })]);
    await client.start();
    expect(host.requests).toHaveLength(0);
    expect(client.read().up).toBe(true);
  });

  it('find a frozen host that used to answer', async () => {
    let isFrozen = false;
    const url = await hosts.plain((_, response) => void (isFrozen || response.end('{"data":[{"id":"m"}]}')));
    const client = bench.client([entry('host', url)], { probeIntervalMs: 10, probeTimeoutMs: 50 });
    const state = () => client.getStatus().hosts[0]?.health?.state;
    await client.start();
    isFrozen = true;
    await waitFor(() => state() === 'UNHEALTHY', { what: 'the frozen host to be found' });
    isFrozen = false;
    await waitFor(() => state() === 'HEALTHY', { what: 'its return' });
  });

  it('go on, one at a time for each host, until they are stopped', async () => {
    let [running, most, count] = [0, 0, 0];
    let isDown = false;
    const url = await hosts.plain((_, response) => {
      count += 1;
      most = Math.max(most, (running += 1));
      setTimeout(() => {
        running -= 1;
        if (isDown) response.destroy();
        else response.end('{"data":[]}');
      }, 20);
    });
    const client = bench.client([entry('a', url)], { probeIntervalMs: 10 });
    const isUp = () => client.read().up;
    await client.start();
    await waitFor(() => count >= 4, { what: 'four probes' });
    expect(most).toBe(1);
    isDown = true;
    await waitFor(() => !isUp(), { what: 'the host to be seen as down' });
    expect(client.getStatus().hosts[0]?.health?.consecutiveFailures).toBeGreaterThanOrEqual(2);
    isDown = false;
    await waitFor(isUp, { what: 'the host to be seen as up' });
    await client.stop();
    await waitFor(() => running === 0, { what: 'the last probe to end' });
    const before = count;
    await delay(60);
    expect(count).toBe(before);
  });
});
