import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, send } from '../../fixture/client-bench.ts';
import { chat, refusal, type Reply, ScriptedHost } from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';

/** What calls may begin in a second at a host where nothing good is left. */
const TRIALS_PER_SECOND = 5;

const bench = new ClientBench();
let hosts: ScriptedHost[];
let client: DistributedLlmClient;
/** How far the clock is put forward, in milliseconds. */
let ahead: number;
let questions: number;

const failing: Reply = (response, request, body) => {
  const reply = /"dead"|poison/.test(body) ? refusal(500, 'engine dead') : chat('hello');
  reply(response, request, body);
};

beforeEach(async () => {
  ahead = questions = 0;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
  hosts = [await ScriptedHost.start(failing), await ScriptedHost.start(failing)];
  client = bench.client(
    hosts.map(({ url }, index) => entry(`host${index}`, url)),
    { panic: { maxPerSecond: TRIALS_PER_SECOND } },
  );
});
afterEach(async () => {
  await bench.close();
  for (const host of hosts) await host.close();
  jest.restoreAllMocks();
});

/** A question that was never asked before. */
async function ask(model: string, word = 'question') {
  const messages = [{ role: 'user', content: `${word} ${(questions += 1)}` }];
  const response = await send(client, { body: Buffer.from(JSON.stringify({ ...CHAT, model, messages })) });
  const { status, attempts } = response;
  return { status, attempts, says: (await response.body.bytes()).toString() };
}

/** Ten failures over ten seconds, with a good response of each host in between. */
async function fail(...question: Parameters<typeof ask>): Promise<void> {
  for (let count = 0; count < 10; count += 1) {
    expect(await ask(...question)).toMatchObject({ status: 500 });
    await succeed('well');
    ahead += 1_000;
  }
}

/** At each host. */
async function succeed(model: string): Promise<void> {
  for (let count = 0; count < hosts.length; count += 1)
    expect(await ask(model)).toMatchObject({ status: 200, attempts: 1 });
}

const rests = () => client.getStatus().hosts.map((host) => host.rests.map(({ of }) => of));
const asked = () => hosts.reduce((sum, host) => sum + host.asked, 0);

describe('a model that is down at every host while others are well', () => {
  it('rests there, and neither the hosts nor the requests are to blame', async () => {
    await fail('dead');
    expect(rests()).toEqual([['model dead'], ['model dead']]);
    const { poisonousRequests, hosts: states } = client.getStatus();
    expect(poisonousRequests).toBe(0);
    for (const state of states) expect(state).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
    expect(await ask('well')).toMatchObject({ status: 200, attempts: 1 });
  });

  it('is asked in bounded numbers; other callers hear at once what the hosts said', async () => {
    await fail('dead');
    const [before, startedAt] = [asked(), performance.now()];
    const all = await Promise.all(Array.from({ length: 100 }, () => ask('dead')));
    const seconds = (performance.now() - startedAt) / 1_000;
    for (const { status, says } of all)
      expect([status, says]).toEqual([500, expect.stringContaining('engine dead')]);
    expect(asked() - before).toBeLessThanOrEqual(hosts.length * TRIALS_PER_SECOND * (1 + seconds));
  });

  it('is back with its first success', async () => {
    await fail('dead');
    for (const host of hosts) host.reply = chat('hello');
    await waitFor(async () => (await ask('dead')).status === 200, { what: 'the model' });
    expect(rests().flat()).toEqual(['model dead']);
    expect(await ask('dead')).toMatchObject({ status: 200, attempts: 1 });
    // The other host is asked again within 30 s of its recovery.
    ahead += 26_000;
    await succeed('dead');
    expect(rests().flat()).toEqual([]);
  });
});

describe('requests that fail at every host', () => {
  it('are to blame themselves where others of their model succeed', async () => {
    await fail('well', 'poison');
    expect(rests()).toEqual([[], []]);
    expect(client.getStatus().poisonousRequests).toBe(10);
  });

  it('are so too where one of the hosts answers others, and the other has not been asked any', async () => {
    const [first, second] = ['host0', 'host1'];
    client = bench.client(
      hosts.map(({ url }, index) => entry(`host${index}`, url)),
      {
        routes: [
          { model: 'both', tiers: [[first, second].map((host) => ({ host, model: 'm' }))] },
          { model: 'second', tiers: [[{ host: second, model: 'm' }]] },
        ],
      },
    );
    for (let count = 0; count < 10; count += 1) {
      expect(await ask('both', 'poison')).toMatchObject({ status: 500, attempts: 2 });
      expect(await ask('second')).toMatchObject({ status: 200 });
      ahead += 1_000;
    }
    for (const state of client.getStatus().hosts)
      expect(state).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' }, rests: [] });
    await succeed('both');
  });
});

describe('a model that fails at one host only', () => {
  /** With the strategy that callers have by default: the other host answers, and the failure is known. */
  async function failOnce(): Promise<ScriptedHost> {
    const [partly, well] = hosts as [ScriptedHost, ScriptedHost];
    well.reply = chat('hello');
    const entries = hosts.map(({ url }, index) => entry(`host${index}`, url));
    client = bench.client(entries, { strategy: 'session_affinity' });
    await waitFor(async () => (await ask('dead')).attempts === 2, { what: 'a failure' });
    return partly;
  }

  it('does not keep calls for other models away from there', async () => {
    const partly = await failOnce();
    const before = partly.asked;
    for (let count = 0; count < 20; count += 1) await succeed('well');
    expect(partly.asked).toBeGreaterThan(before);
  });

  it('is asked for elsewhere from its first failure on', async () => {
    const partly = await failOnce();
    const before = partly.asked;
    for (let count = 0; count < 20; count += 1) expect(await ask('dead')).toMatchObject({ status: 200 });
    expect(partly.asked).toBe(before);
  });
});

describe('a model that fails at the only host', () => {
  beforeEach(() => {
    hosts[0]!.reply = (response, request, body) => {
      // Or the host is asked once more, after a while.
      response.setHeader('x-should-retry', 'false');
      failing(response, request, body);
    };
    client = bench.client([entry('host0', hosts[0]!.url)], { panic: { maxPerSecond: TRIALS_PER_SECOND } });
  });

  const status = () => client.getStatus().hosts[0]!;

  async function failTimes(times: number, ...question: Parameters<typeof ask>): Promise<void> {
    for (let count = 0; count < times; count += 1)
      expect(await ask(...question)).toMatchObject({ status: 500, attempts: 1 });
  }

  it('rests by itself after five failures, and opens no breaker', async () => {
    await failTimes(1, 'dead');
    expect(await ask('well')).toMatchObject({ status: 200 });
    await failTimes(3, 'dead');
    expect(status().rests).toEqual([]);
    await failTimes(1, 'dead');
    expect(status()).toMatchObject({
      rests: [{ of: 'path /chat/completions model dead', outcome: 'server_error' }],
      circuit: { state: 'CLOSED' },
      health: { state: 'HEALTHY', live: { failed: 1 } },
    });
    // More of the other model at once than a panic lets through.
    const all = await Promise.all(Array.from({ length: 40 }, () => ask('well')));
    expect(all.map(({ status: code }) => code)).toEqual(all.map(() => 200));
  });

  it('is the fault of the host as long as nothing else has succeeded since it began', async () => {
    expect(await ask('well')).toMatchObject({ status: 200 });
    await failTimes(5, 'dead');
    expect(status()).toMatchObject({ circuit: { state: 'OPEN' }, rests: [] });
  });

  it('is no excuse for another one', async () => {
    await failTimes(1, 'dead');
    expect(await ask('well')).toMatchObject({ status: 200 });
    await failTimes(4, 'dead');
    await failTimes(4, 'well', 'poison');
    expect(status().circuit.state).toBe('CLOSED');
    await failTimes(1, 'well', 'poison');
    expect(status().circuit.state).toBe('OPEN');
  });

  it('is asked for as ever after its first success', async () => {
    await failTimes(1, 'dead');
    expect(await ask('well')).toMatchObject({ status: 200 });
    await failTimes(4, 'dead');
    hosts[0]!.reply = chat('hello');
    expect(await ask('dead')).toMatchObject({ status: 200 });
    expect(status().rests).toEqual([]);
    hosts[0]!.reply = failing;
    expect(await ask('dead')).toMatchObject({ status: 500 });
    expect(status().rests).toEqual([]);
  });
});

describe('a path that fails at the only host', () => {
  it('rests by itself, and the model is asked for at others', async () => {
    hosts[0]!.reply = (response, request, body) => {
      response.setHeader('x-should-retry', 'false');
      const reply = request.url?.endsWith('/rerank') ? refusal(500, 'no pooler') : chat('hello');
      reply(response, request, body);
    };
    client = bench.client([entry('host0', hosts[0]!.url)]);
    const rerank = Buffer.from(JSON.stringify({ model: 'm', query: 'q', documents: ['d'] }));
    for (let count = 0; count < 6; count += 1) {
      const response = await send(client, { path: '/rerank', body: rerank });
      expect(response.status).toBe(500);
      await response.body.bytes();
      if (count === 0) expect(await ask('m')).toMatchObject({ status: 200 });
    }
    const { rests: resting, circuit } = client.getStatus().hosts[0]!;
    expect(resting).toMatchObject([{ of: 'path /rerank model m' }]);
    expect(circuit.state).toBe('CLOSED');
    expect(await ask('m')).toMatchObject({ status: 200 });
  });
});
