import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type FakeLlmHost, type FakeLlmHostOptions, type Fault } from '@morgan/fake-llm-host';
import { STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, errorOf, repeat, send, STREAM } from '../../fixture/client-bench.ts';
import {
  chat,
  CONTENT_CHUNK,
  events,
  refusal,
  reset,
  ROLE_CHUNK,
  ScriptedHost,
} from '../../fixture/scripted-host.ts';
import { TestHosts } from '../../fixture/test-hosts.ts';
import type { DistributedLlmClient } from './distributed-llm.client.ts';

const DOWN: Fault = { kind: 'status', status: 503 };
const EXPLAINED = {
  method: 'POST' as const,
  path: '/chat/completions',
  headers: {},
  body: Buffer.from(JSON.stringify(CHAT)),
};
const PATIENT = { circuitBreaker: { failureThreshold: 1_000_000 } };

const bench = new ClientBench();
const hosts = new TestHosts();

afterEach(async () => {
  jest.useRealTimers();
  await bench.close();
  await hosts.close();
});

const fakeHost = (options: FakeLlmHostOptions = {}) => hosts.fake({ recordLimit: 10_000, ...options });
const clientOf = (named: Record<string, FakeLlmHost>, settings: Record<string, unknown> = {}) =>
  bench.client(
    Object.entries(named).map(([name, { url }]) => entry(name, url)),
    settings,
  );
const circuitOf = (client: DistributedLlmClient, index = 0) => client.getStatus().hosts[index]?.circuit.state;
const answer = async (
  client: DistributedLlmClient,
  body = Buffer.from(JSON.stringify(CHAT)),
): Promise<string> => {
  const response = await send(client, { body });
  await response.body.bytes();
  return response.host;
};

describe('the breaker of a host', () => {
  it.each<[string, Fault]>([
    ['a 500', { kind: 'status', status: 500 }],
    ['a 408', { kind: 'status', status: 408 }],
    ['a redirect', { kind: 'status', status: 302 }],
    ['a refused connection', { kind: 'refuse' }],
    ['a reset', { kind: 'reset-before-headers' }],
    ['silence', { kind: 'stall-before-headers' }],
    ['something that is not HTTP', { kind: 'bad-http' }],
  ])('opens after five times %s, and no call goes there', async (_, fault) => {
    const [bad, good] = [await fakeHost({ fault }), await fakeHost()];
    const client = clientOf(
      { bad, good },
      { firstByteTimeoutMs: fault.kind === 'stall-before-headers' ? 400 : 2_000 },
    );
    const answers: string[] = [];
    while (circuitOf(client) === 'CLOSED') answers.push(await answer(client, STREAM));
    expect(client.getStatus().hosts[0]).toMatchObject({ requests: 5, failures: 5 });
    await repeat(10, async () => answers.push(await answer(client, STREAM)));
    expect(client.getStatus().hosts[0]).toMatchObject({ requests: 5 });
    expect(new Set(answers)).toEqual(new Set(['good']));
    expect(client.read()).toMatchObject({ details: { bad: { circuit: 'OPEN' } } });
    expect(bench.log.filter(({ message }) => message === 'circuit is OPEN')).toEqual([
      expect.objectContaining({ level: 'warn', breaker: 'bad', reason: 'consecutive_failures' }),
    ]);
    expect(await bench.metric('morgan_circuit_breaker_state{breaker="bad",state="OPEN"}')).toBe('1');
    expect(await bench.metric('morgan_circuit_breaker_calls_total{breaker="bad",outcome="failure"}')).toBe(
      '5',
    );
  });

  it.each([400, 401, 403, 404, 409, 422, 429])('never opens because of a %i', async (status) => {
    const client = clientOf({ only: await fakeHost({ fault: { kind: 'status', status } }) });
    await repeat(12, () => answer(client).catch(() => undefined));
    expect(client.getStatus().hosts[0]).toMatchObject({ requests: 12, failures: 0 });
    expect(circuitOf(client)).toBe('CLOSED');
  });

  it('never opens because of callers that go away', async () => {
    const host = await fakeHost({ fault: { kind: 'stall-before-headers' } });
    const client = clientOf({ host });
    await repeat(12, async () => {
      const caller = new AbortController();
      const outcome = errorOf(send(client, {}, { signal: caller.signal }));
      await host.nextRequest();
      caller.abort();
      await outcome;
    });
    expect(client.getStatus().hosts[0]).toMatchObject({
      requests: 12,
      circuit: { state: 'CLOSED', totals: { ignored: 12 } },
      health: { live: { ok: 0, failed: 0 } },
    });
  });

  it('never opens because of our own limit of connections', async () => {
    const [full, other] = [await fakeHost({ fault: { kind: 'stall-before-headers' } }), await fakeHost()];
    const narrow = new ClientBench({ maxConnections: 1, poolTimeoutMs: 20 });
    const client = narrow.client([entry('full', full.url), entry('other', other.url)]);
    const caller = new AbortController();
    const first = errorOf(send(client, {}, { signal: caller.signal }));
    await full.nextRequest();
    await repeat(12, async () => expect(await answer(client)).toBe('other'));
    expect(client.getStatus().hosts[0]).toMatchObject({
      failures: 0,
      circuit: { state: 'CLOSED', totals: { ignored: 6 } },
    });
    expect(await narrow.metric('morgan_llm_failovers_total{reason="saturated"}')).toBe('6');
    caller.abort();
    await first;
    await narrow.close();
  });

  it('is not held up by a trial whose whole answer takes long: the next call may know sooner', async () => {
    const [slow, other] = [await ScriptedHost.start(reset), await ScriptedHost.start()];
    const client = bench.client([entry('slow', slow.url, { weight: 1_000 }), entry('other', other.url)], {
      circuitBreaker: { failureThreshold: 1, resetTimeoutMs: 1_000, resetJitter: 0 },
      answerTimeoutMs: 60_000,
    });
    jest.useFakeTimers(STOPPED_CLOCK);
    await answer(client);
    expect(circuitOf(client)).toBe('OPEN');
    slow.reply = (response, request, body) => {
      if (!body.includes('a long story')) chat('hello')(response, request, body);
    };
    const caller = new AbortController();
    const story = Buffer.from(
      JSON.stringify({ ...CHAT, messages: [{ role: 'user', content: 'a long story' }] }),
    );
    jest.advanceTimersByTime(1_000);
    expect(client.explain(EXPLAINED).tiers[0]?.[0]?.candidate).toBe(true);
    const long = errorOf(send(client, { body: story }, { signal: caller.signal }));
    await waitFor(() => slow.asked === 2, { what: 'the trial at the host' });
    expect(await answer(client)).toBe('other');
    jest.advanceTimersByTime(1_000);
    expect(await answer(client)).toBe('slow');
    expect(circuitOf(client)).toBe('CLOSED');
    caller.abort();
    await long;
    await slow.close();
    await other.close();
  });

  it('lets one call find out how the host is, and closes with its first content', async () => {
    const host = await fakeHost({ fault: { kind: 'refuse' } });
    const client = clientOf(
      { host },
      { circuitBreaker: { resetTimeoutMs: 20, resetJitter: 0 }, panic: { share: 0 } },
    );
    await repeat(5, () => errorOf(send(client)));
    expect(circuitOf(client)).toBe('OPEN');
    await host.setFault({ kind: 'stall-in-stream', afterChunks: 3 });
    const trial = await waitFor(() => send(client, { body: STREAM }).catch(() => undefined), {
      what: 'the trial',
    });
    expect(circuitOf(client)).toBe('CLOSED');
    trial.body.destroy();
    expect(bench.log).toContainEqual(
      expect.objectContaining({ level: 'info', breaker: 'host', message: 'circuit is CLOSED' }),
    );
  });

  it('is not asked while another host answers, but gets its turn when its time has come', async () => {
    const [bad, good] = [await fakeHost({ fault: { ...DOWN, times: 2 } }), await fakeHost()];
    const circuitBreaker = { failureThreshold: 2, resetTimeoutMs: 20, resetJitter: 0 };
    const client = clientOf({ bad, good }, { circuitBreaker });
    while (circuitOf(client) === 'CLOSED') await answer(client);
    await waitFor(async () => (await answer(client)) === 'bad', { what: 'a turn of the bad host' });
    expect(circuitOf(client)).toBe('CLOSED');
    expect(client.getStatus().hosts[1]).toMatchObject({ failures: 0 });
  });
});

describe('when every circuit is open', () => {
  const circuitBreaker = { failureThreshold: 1, resetTimeoutMs: 10_000, resetJitter: 0 };

  it('and nobody may panic, the answer is 503 with the time to the nearest trial', async () => {
    const [first, second] = [
      await fakeHost({ fault: { kind: 'refuse' } }),
      await fakeHost({ fault: { kind: 'refuse' } }),
    ];
    const client = clientOf({ first, second }, { circuitBreaker, panic: { share: 0 } });
    await errorOf(send(client));
    const error = await errorOf(send(client));
    expect([error.code, error.status]).toEqual(['no_host_available', 503]);
    expect(error.message).toBe('No host can take this request at the moment.');
    expect(error.retryAfterMs).toBeGreaterThan(5_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(10_000);
    for (const host of client.getStatus().hosts) expect(host).toMatchObject({ requests: 1 });
  });

  it('but one of them is being tried, callers are asked to come back soon', async () => {
    await using host = await ScriptedHost.start(reset);
    const client = bench.client([entry('host', host.url)], {
      circuitBreaker: { ...circuitBreaker, resetTimeoutMs: 1_000 },
      panic: { share: 0 },
    });
    await errorOf(send(client));
    await waitFor(() => circuitOf(client) === 'OPEN', { what: 'the open circuit' });
    let isTried: (() => void) | undefined;
    host.reply = (...exchange) => void (isTried = () => chat('hello')(...exchange));
    const trial = waitFor(() => send(client), { what: 'the trial' });
    await waitFor(() => isTried, { what: 'the trial to arrive' });
    expect(await errorOf(send(client))).toMatchObject({ code: 'no_host_available', retryAfterMs: 1_000 });
    host.reply = chat('hello');
    isTried?.();
    await (await trial).body.bytes();
    expect(await answer(client)).toBe('host');
  });

  it('the service stays ready', async () => {
    const host = await fakeHost();
    const client = clientOf({ host }, { circuitBreaker });
    await client.start();
    await host.setFault({ kind: 'reset-before-headers' });
    await errorOf(send(client));
    expect(client.read()).toEqual({ up: true, details: { host: { state: 'HEALTHY', circuit: 'OPEN' } } });
    expect(client.required).toBe(false);
  });
});

describe('the budget', () => {
  it('lets a dying fleet see a fifth more than its load, and the reserve', async () => {
    const fleet = { a: await fakeHost(), b: await fakeHost(), c: await fakeHost() };
    // Each in its own way: that the same happens everywhere would be the request's doing.
    await fleet.a.setFault(DOWN);
    await fleet.b.setFault({ kind: 'status', status: 500 });
    await fleet.c.setFault({ kind: 'status', status: 502 });
    // Only the budget bounds what hosts see that are down.
    const panic = { maxPerSecond: 10_000 };
    const client = clientOf(fleet, { ...PATIENT, panic, budget: { minPerSecond: 0.1, windowMs: 100_000 } });
    const statuses = new Set<number>();
    await repeat(200, async () => {
      const { status, body } = await send(client);
      statuses.add(status);
      await body.bytes();
    });
    expect([...statuses].filter((status) => ![500, 502, 503].includes(status))).toEqual([]);
    const seen = Object.values(fleet).reduce((sum, { requests }) => sum + requests.length, 0);
    // More than the reserve alone: each call pays for a fifth of a try.
    expect(seen).toBeGreaterThan(230);
    expect(seen).toBeLessThanOrEqual(200 * 1.2 + 10 * 1);
    const { budget } = client.getStatus();
    expect(seen - 200).toBe(budget.granted.fallback);
    expect(
      await bench.metric('morgan_retry_budget_total{client="llm_hosts",kind="fallback",outcome="refused"}'),
    ).toBe(String(budget.refused.fallback));
  });

  it('is not asked where the call has not been tried anywhere yet', async () => {
    const [bad, good] = [await fakeHost({ fault: DOWN }), await fakeHost()];
    const settings = {
      circuitBreaker: { failureThreshold: 1 },
      budget: { minPerSecond: 0.1, ratio: 0 },
    };
    const client = clientOf({ bad, good }, settings);
    await repeat(5, async () => expect(await answer(client)).toBe('good'));
    expect(client.getStatus().budget).toMatchObject({ granted: { fallback: 1 }, refused: { fallback: 0 } });
  });
});

describe('a host that fails every other call', () => {
  it('is asked after others, and only as often as it takes to see it', async () => {
    const [bad, good] = [await ScriptedHost.start(), await ScriptedHost.start()];
    bad.reply = (...exchange) =>
      (bad.asked % 2 === 1 ? refusal(500, 'CUDA error') : chat('hello'))(...exchange);
    const client = bench.client([entry('bad', bad.url), entry('good', good.url)]);
    await repeat(60, () => answer(client));
    expect(circuitOf(client)).toBe('CLOSED');
    expect(bad.asked).toBeGreaterThanOrEqual(10);
    expect(bad.asked).toBeLessThan(14);
    expect(client.explain(EXPLAINED).tiers[0]?.[0]).toMatchObject({ host: 'bad', because: ['doubtful'] });
    const elsewhere = client.explain({ ...EXPLAINED, path: '/completions' });
    expect(elsewhere.tiers[0]?.[0]).toMatchObject({ host: 'bad', because: [] });
    await bad.close();
    await good.close();
  });

  it('is not one that failed all of them: that is back with its breaker', async () => {
    const [bad, good] = [await ScriptedHost.start(), await ScriptedHost.start()];
    // Three outages, and one good answer behind each of them.
    const fails = () => bad.asked % 6 !== 0 && bad.asked < 18;
    bad.reply = (...exchange) => (fails() ? refusal(500, 'CUDA error') : chat('hello'))(...exchange);
    const client = bench.client([entry('bad', bad.url), entry('good', good.url)], {
      circuitBreaker: { resetTimeoutMs: 20, maxResetTimeoutMs: 20 },
    });
    await waitFor(() => answer(client).then(() => bad.asked >= 17), { what: 'all three outages' });
    expect(circuitOf(client)).toBe('OPEN');
    await waitFor(async () => (await answer(client)) === 'bad', { what: 'its return' });
    await bad.close();
    await good.close();
  });

  it('is asked all the same where it is the only one', async () => {
    const only = await ScriptedHost.start();
    only.reply = (...exchange) =>
      (only.asked % 2 === 1 ? refusal(500, 'CUDA error') : chat('hello'))(...exchange);
    const client = bench.client([entry('only', only.url)], { budget: { minPerSecond: 1_000 } });
    await repeat(12, async () => expect(await answer(client)).toBe('only'));
    await only.close();
  });
});

describe('a host all of whose connections our own calls keep', () => {
  it('is neither down nor at fault, whoever waits for one of them', async () => {
    const [full, other] = [
      await ScriptedHost.start(events(ROLE_CHUNK + CONTENT_CHUNK, true)),
      await ScriptedHost.start(),
    ];
    const narrow = new ClientBench({ maxConnections: 1, poolTimeoutMs: null });
    const client = narrow.client(
      [entry('full', full.url, { weight: 1_000, probe: { timeoutMs: 60 } }), entry('other', other.url)],
      {
        firstTokenTimeoutMs: 60,
        firstByteTimeoutMs: 20_000,
      },
    );
    await client.start();
    const long = await send(client, { body: STREAM });
    expect(long.host).toBe('full');
    await repeat(3, () => client.healthCheckAll());
    expect(client.getMetrics()['full']?.health).toMatchObject({
      state: expect.not.stringMatching('UNHEALTHY'),
    });
    await repeat(6, async () => expect(await answer(client, STREAM)).toBe('other'));
    expect(full.asked).toBe(1);
    const outcome = (name: string) =>
      narrow.metric(`morgan_llm_host_requests_total{host="full",outcome="${name}"}`);
    await waitFor(async () => Number(await outcome('cancelled')) > 0, {
      what: 'the end of those that waited',
    });
    expect(await outcome('outrun')).toBeUndefined();
    expect(client.getMetrics()['full']).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
    long.body.destroy();
    await narrow.close();
    await full.close();
    await other.close();
  });
});
