import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientBench, entry } from '../../fixture/client-bench.ts';
import { models, refusal, ScriptedHost } from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from './distributed-llm.client.ts';

const bench = new ClientBench();
let host: ScriptedHost;

beforeEach(async () => {
  host = await ScriptedHost.start();
});

afterEach(async () => {
  await bench.close();
  await host.close();
});

const explain = (client: DistributedLlmClient, body: object = { model: 'big' }, path = '/chat/completions') =>
  client.explain({ method: 'POST', path, headers: {}, body: Buffer.from(JSON.stringify(body)) });

const reasons = (client: DistributedLlmClient, body?: object, path?: string) =>
  explain(client, body, path).tiers.map((tier) =>
    tier.map(({ host: name, candidate, because }) => [name, candidate, because]),
  );

describe('explain', () => {
  it('names the route, who could be asked and why the others are not', async () => {
    host.list = models('big');
    await using another = await ScriptedHost.start(undefined, models('small'));
    const hosts = [
      ...['a', 'b', 'c', 'd', 'low'].map((name) => entry(name, host.url)),
      entry('e', another.url),
      entry('f', host.url, { capabilities: { endpoints: ['/embeddings'] } }),
    ];
    const tiers = [
      ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ host: name })),
      [{ host: 'low', model: 'x' }],
    ];
    const routes = [{ model: 'b*', tiers, strategy: 'least_loaded' }];
    const client = bench.client(hosts, { routes, probeTimeoutMs: 5_000 });
    await client.start();
    client.drainHost('b');
    client.disableHost('c');
    client.setHostCircuit('d', 'open');
    expect(explain(client, { model: 'big', stream: true, user: 'me' })).toMatchObject({
      route: 'b*',
      strategy: 'least_loaded',
      decision: 'ask',
      tier: 0,
      request: { path: '/chat/completions', model: 'big', stream: true, sessionKeyFrom: 'user' },
    });
    expect(reasons(client)).toEqual([
      [
        ['a', true, []],
        ['b', false, ['draining']],
        ['c', false, ['disabled']],
        ['d', false, ['circuit_held_open']],
        ['e', false, ['model_not_listed']],
        ['f', false, ['no_endpoint']],
      ],
      // The route names it for the model: its list says nothing of that.
      [['low', false, ['lower_tier']]],
    ]);
    expect(explain(client, { model: 'another' })).toMatchObject({
      route: undefined,
      strategy: 'round_robin',
    });
    expect(host.asked).toBe(0);
  });

  it('says how long a host rests, and what there is to do then', async () => {
    host.reply = refusal(429, 'later', { headers: { 'retry-after': '60' } });
    const client = bench.client([entry('a', host.url)]);
    await client.post('/chat/completions', { model: 'big' }).catch(() => undefined);
    const resting = explain(client);
    expect(resting).toMatchObject({ decision: 'refuse', tiers: [[{ because: ['resting_rate_limited'] }]] });
    expect(resting.tiers[0]?.[0]?.restsForMs).toBeGreaterThan(50_000);
    await client.reload({ hosts: [entry('a', host.url)], circuitBreaker: { failureThreshold: 1 } });
    host.reply = refusal(500, 'CUDA');
    await client.post('/chat/completions', { model: 'big' }).catch(() => undefined);
    expect(explain(client)).toMatchObject({ decision: 'panic', tiers: [[{ because: ['circuit_open'] }]] });
    client.setHostCircuit('a', 'open');
    expect(explain(client)).toMatchObject({
      decision: 'refuse',
      tiers: [[{ because: ['circuit_held_open'] }]],
    });
  });

  it('knows the pace of a host by whatever route it was learnt, and after a reload', async () => {
    const hosts = [entry('a', host.url)];
    const routes = [
      { model: 'chat', tiers: [[{ host: 'a', model: 'big' }]] },
      { model: 'code', tiers: [[{ host: 'a', model: 'big' }]] },
      { model: 'draft', tiers: [[{ host: 'a', model: 'small' }]] },
    ];
    const paceOf = (model: string) => explain(client, { model }).tiers[0]?.[0]?.ttftMs;
    const client = bench.client(hosts, { routes });
    await client.post('/chat/completions', { model: 'chat', messages: [] });
    expect(['chat', 'code', 'draft'].map((model) => paceOf(model) !== undefined)).toEqual([
      true,
      true,
      false,
    ]);
    const settings = { firstByteTimeoutMs: 2_000, probeIntervalMs: 60_000, probeTimeoutMs: 500 };
    await client.reload({ ...settings, hosts: [...hosts, entry('b', host.url)], routes });
    expect(paceOf('code')).toBeDefined();
  });

  it('has the order of the strategy, what limits it, and who callers may choose in its place', async () => {
    await using another = await ScriptedHost.start();
    const rateLimit = { requestsPerSecond: 0.01 };
    const hosts = [
      entry('a', host.url, { weight: 3 }),
      entry('b', another.url),
      entry('c', another.url, { rateLimit }),
      entry('d', another.url, { capabilities: { tools: false, vision: false, contextLength: 10 } }),
    ];
    const client = bench.client(hosts, { allowedStrategies: ['random', 'round_robin'] });
    await client.post('/chat/completions', { model: 'big' });
    client.setHostWeight('c', 1000);
    while (client.getMetrics()['c']?.requests === 0) await client.post('/chat/completions', { model: 'big' });
    client.setHostWeight('c', 1);
    const seen = explain(client, { model: 'big', tools: [{}], messages: ['x'.repeat(100)] });
    expect(seen).toMatchObject({
      strategy: 'round_robin',
      allowedStrategies: ['random', 'round_robin'],
      request: { sessionKeyFrom: 'conversation_start' },
    });
    const [tier = []] = seen.tiers;
    expect(tier[2]).toMatchObject({ host: 'c', candidate: false, because: ['rate_limited'] });
    expect(tier[2]?.freeInMs).toBeGreaterThan(10_000);
    expect(tier[3]?.because).toEqual(['no_tools']);
    expect(explain(client, { model: 'big', prompt: 'x'.repeat(100) }).tiers[0]?.[3]?.because).toEqual([
      'no_context_length',
    ]);
    expect(explain(client, { model: 'big', user: 'me' }).request.sessionKeyFrom).toBe('user');
    expect(explain(client).request.sessionKeyFrom).toBeUndefined();
    for (let call = 0; call < 8; call += 1) {
      const order = explain(client, { model: 'big', tools: [{}] }).tiers[0]?.filter(
        ({ candidate }) => candidate,
      );
      const [first] = order?.toSorted((one, other) => (one.order ?? 0) - (other.order ?? 0)) ?? [];
      expect(order?.map((target) => target.order).toSorted()).toEqual([1, 2]);
      expect((await client.post('/chat/completions', { model: 'big', tools: [{}] })).host).toBe(first?.host);
    }
  });

  it('is what the next call does, and changes nothing', async () => {
    await using another = await ScriptedHost.start();
    const client = bench.client([entry('a', host.url), entry('b', another.url)]);
    const seen: string[] = [];
    for (let call = 0; call < 4; call += 1) {
      expect(explain(client).tiers[0]?.every(({ candidate }) => candidate)).toBe(true);
      seen.push((await client.post('/chat/completions', { model: 'big' })).host);
    }
    expect(seen).toEqual(['a', 'b', 'a', 'b']);
    client.drainHost('a');
    expect(reasons(client)).toEqual([
      [
        ['a', false, ['draining']],
        ['b', true, []],
      ],
    ]);
    expect((await client.post('/chat/completions', { model: 'big' })).host).toBe('b');
  });
});
