import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { ask, CHAT, ClientBench, entry, repeat } from '../../fixture/client-bench.ts';
import { chat, json, models, refusal, type Reply, ScriptedHost } from '../../fixture/scripted-host.ts';

const bench = new ClientBench();
afterEach(() => {
  jest.useRealTimers();
  return bench.close();
});

const messageIn = (says: string) => (JSON.parse(says) as { error: { message: string } }).error.message;
const retryAfterOf = (headers: readonly string[]) => Number(headers[headers.indexOf('retry-after') + 1]);

describe('a rest', () => {
  it.each<[string, Record<string, string>]>([
    ['seconds', { 'retry-after': '20' }],
    ['a date', { 'retry-after': new Date(Date.now() + 25_000).toUTCString() }],
    ['milliseconds', { 'retry-after-ms': '20000' }],
    [
      'a reset of what is used up',
      { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '20s' },
    ],
  ])('said in %s is kept, and the other host answers all', async (_, headers) => {
    await using full = await ScriptedHost.start(refusal(429, 'Slow down.', { headers }));
    await using idle = await ScriptedHost.start();
    const client = bench.client([entry('full', full.url), entry('idle', idle.url)]);
    await repeat(10, async () => expect(await ask(client)).toMatchObject({ status: 200, host: 'idle' }));
    expect([full.asked, idle.asked]).toEqual([1, 10]);
    const { rests } = client.getMetrics()['full'] ?? {};
    expect(rests).toEqual([expect.objectContaining({ outcome: 'rate_limited' })]);
    expect(rests?.[0]?.remainingMs).toBeGreaterThan(15_000);
    expect(await bench.metric('morgan_llm_host_resting{host="full",outcome="rate_limited"}')).toBe('1');
  });

  it('said by the host behind a router is kept', async () => {
    const headers = { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': String(Date.now() + 60_000) };
    const error = { message: 'Provider returned error', code: 429, metadata: { headers } };
    await using full = await ScriptedHost.start(json(429, { error }));
    await using idle = await ScriptedHost.start();
    const client = bench.client([entry('full', full.url), entry('idle', idle.url)], {
      strategy: 'round_robin',
    });
    await repeat(6, async () => expect(await ask(client)).toMatchObject({ status: 200, host: 'idle' }));
    expect(client.getMetrics()['full']?.rests[0]?.remainingMs).toBeGreaterThan(50_000);
  });

  it('until a moment that an error names ends by the clock of the host', async () => {
    const there = Date.now() + 3_600_000;
    const headers = { date: new Date(there).toUTCString() };
    const error = { message: 'Full.', type: 'usage_limit', resets_at: Math.ceil(there / 1_000) + 20 };
    await using full = await ScriptedHost.start(json(429, { error }, headers));
    await using idle = await ScriptedHost.start();
    const client = bench.client([entry('full', full.url), entry('idle', idle.url)]);
    await repeat(2, async () => expect((await ask(client)).host).toBe('idle'));
    const remainingMs = client.getMetrics()['full']?.rests[0]?.remainingMs;
    expect(remainingMs).toBeGreaterThan(15_000);
    expect(remainingMs).toBeLessThan(25_000);
  });

  it('of every host gives the caller the earliest time, without asking them again', async () => {
    const full = (seconds: number) => refusal(429, 'Full.', { headers: { 'retry-after': String(seconds) } });
    await using first = await ScriptedHost.start(full(60));
    await using second = await ScriptedHost.start(full(30));
    const client = bench.client([entry('first', first.url), entry('second', second.url)]);
    await repeat(3, async () => {
      const { status, says, headers } = await ask(client);
      expect([status, messageIn(says)]).toEqual([429, 'Full.']);
      expect(retryAfterOf(headers)).toBeGreaterThan(25);
      expect(retryAfterOf(headers)).toBeLessThanOrEqual(30);
    });
    expect([first.asked, second.asked]).toEqual([1, 1]);
  });

  it('of the sole host that is short enough is waited for', async () => {
    const loading = refusal(503, 'Loading model', { headers: { 'retry-after': '1' } });
    await using only = await ScriptedHost.start((...exchange) => {
      const reply = only.asked < 2 ? loading : chat('hello');
      reply(...exchange);
    });
    const client = bench.client([entry('only', only.url)]);
    const startedAt = performance.now();
    expect(await ask(client)).toMatchObject({ status: 200, attempts: 2 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
  });

  it('of the sole host that is too long is told, in its words', async () => {
    await using only = await ScriptedHost.start(
      refusal(503, 'Loading model', { headers: { 'retry-after': '9' }, code: 503 }),
    );
    const client = bench.client([entry('only', only.url)]);
    const { status, says, headers } = await ask(client);
    expect([status, messageIn(says), retryAfterOf(headers)]).toEqual([503, 'Loading model', 9]);
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
  });

  it('without a time is no reason to refuse: the sole host is asked again by the next call', async () => {
    await using only = await ScriptedHost.start(refusal(503, 'Loading model'));
    const client = bench.client([entry('only', only.url)]);
    expect((await ask(client)).status).toBe(503);
    only.reply = chat('hello');
    expect(await ask(client)).toMatchObject({ status: 200 });
  });

  it('of a model leaves the other models of the host alone', async () => {
    await using host = await ScriptedHost.start((response, request, body) => {
      const reply = body.includes('"absent"') ? refusal(404, 'model absent not found') : chat('hello');
      reply(response, request, body);
    });
    await using other = await ScriptedHost.start();
    const client = bench.client([entry('host', host.url), entry('other', other.url)]);
    const body = Buffer.from(JSON.stringify({ ...CHAT, model: 'absent' }));
    await repeat(6, async () => expect(await ask(client, { body })).toMatchObject({ host: 'other' }));
    expect(host.asked).toBe(1);
    const hosts = new Set<string>();
    await repeat(4, async () => hosts.add((await ask(client)).host));
    expect(hosts).toEqual(new Set(['host', 'other']));
  });

  it.each<[string, Reply, RegExp, string, string]>([
    ['the key', refusal(401, 'expired'), /refuses our key/, 'credentials_rejected', 'path'],
    ['a quota', refusal(402, 'Insufficient credits.'), /quota is used up/, 'quota_exhausted', 'model'],
  ])('because of %s is said once, and shown', async (_, refuses, said, outcome, of) => {
    await using bad = await ScriptedHost.start(refuses);
    await using good = await ScriptedHost.start();
    const client = bench.client([entry('bad', bad.url), entry('good', good.url)]);
    await repeat(20, async () => expect(await ask(client)).toMatchObject({ status: 200, host: 'good' }));
    expect(bad.asked).toBe(1);
    const errors = bench.log.filter(({ level }) => level === 'error');
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringMatching(said) })]);
    expect(client.read()).toMatchObject({ details: { bad: { resting: [{ of, outcome }] } } });
  });
});

describe('a 404 for a model that the host lists', () => {
  it('has the list read again at once', async () => {
    await using host = await ScriptedHost.start(refusal(404, 'model m not found'), models('simulated'));
    await using other = await ScriptedHost.start(undefined, models('simulated'));
    const client = bench.client([entry('host', host.url), entry('other', other.url)]);
    await client.start();
    host.list = models('another');
    await repeat(2, () => ask(client));
    await waitFor(() => client.getStatus().hosts[0]?.models.join() === 'another', { what: 'the new list' });
  });
});
