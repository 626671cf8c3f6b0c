import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientBench, entry } from '../../fixture/client-bench.ts';
import { models, refusal, ScriptedHost } from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';

let bench: ClientBench;
let host: ScriptedHost;

beforeEach(async () => {
  bench = new ClientBench();
  host = await ScriptedHost.start();
});

afterEach(async () => {
  await bench.close();
  await host[Symbol.asyncDispose]();
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
    const client = bench.client(hosts, { routes: [{ model: 'b*', tiers, strategy: 'least_loaded' }] });
    await client.start();
    client.drainHost('b');
    client.disableHost('c');
    client.setHostCircuit('d', 'open');
    expect(explain(client, { model: 'big', stream: true, user: 'me' })).toMatchObject({
      route: 'b*',
      strategy: 'least_loaded',
      decision: 'ask',
      tier: 0,
      request: { path: '/chat/completions', model: 'big', stream: true, hasSessionKey: true },
    });
    expect(reasons(client)).toEqual([
      [
        ['a', true, []],
        ['b', false, ['draining']],
        ['c', false, ['disabled']],
        ['d', false, ['circuit_open']],
        ['e', false, ['model_not_listed']],
        ['f', false, ['no_endpoint']],
      ],
      [['low', false, ['model_not_listed']]],
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
    await client.reload({ hosts: [entry('a', host.url)], maxRetryAfterWaitMs: 100_000 });
    host.reply = refusal(429, 'later', { headers: { 'retry-after': '60' } });
    client.setHostCircuit('a', 'open');
    expect(explain(client).decision).toBe('panic');
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
