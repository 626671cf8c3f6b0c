import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, errorOf, send, STREAM } from '../../fixture/client-bench.ts';
import {
  chat,
  events,
  json,
  models,
  refusal,
  type Reply,
  reset,
  ROLE_CHUNK,
  ScriptedHost,
  silence,
  text,
} from '../../fixture/scripted-host.ts';

const bodyOf = (content: string) =>
  Buffer.from(JSON.stringify({ ...CHAT, messages: [{ role: 'user', content }] }));

const bench = new ClientBench();
afterEach(() => {
  jest.useRealTimers();
  return bench.close();
});

const ask = async (...call: Parameters<typeof send>) => {
  const response = await send(...call);
  const says = (await response.body.bytes()).toString();
  return { ...response, says };
};
const messageIn = (says: string) => (JSON.parse(says) as { error: { message: string } }).error.message;
const retryAfterOf = (headers: readonly string[]) => Number(headers[headers.indexOf('retry-after') + 1]);
const repeat = async (count: number, call: (index: number) => Promise<unknown>) => {
  for (let index = 0; index < count; index += 1) await call(index);
};

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

describe('a request that fails everywhere', () => {
  const poison: Reply = (response, request, body) => {
    const reply = body.includes('poison') ? refusal(500, 'cannot decode image') : chat('hello');
    reply(response, request, body);
  };

  it('is answered in the words of the hosts and counts against none of them', async () => {
    await using first = await ScriptedHost.start(poison);
    await using second = await ScriptedHost.start(poison);
    const client = bench.client([entry('first', first.url), entry('second', second.url)]);
    await repeat(8, async (index) => {
      const { status, says } = await ask(client, { body: bodyOf(`poison ${index}`) });
      expect([status, messageIn(says)]).toEqual([500, 'cannot decode image']);
    });
    for (const host of client.getStatus().hosts)
      expect(host).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
    await repeat(4, async () => expect(await ask(client)).toMatchObject({ status: 200, attempts: 1 }));
  });

  it('counts against none of them where each has words of its own, and answers others', async () => {
    const other: Reply = (response, request, body) => {
      const reply = body.includes('poison') ? reset : chat('hello');
      reply(response, request, body);
    };
    await using first = await ScriptedHost.start(poison);
    await using second = await ScriptedHost.start(other);
    const client = bench.client([entry('first', first.url), entry('second', second.url)]);
    await repeat(6, async (index) => {
      await repeat(2, async () => expect(await ask(client)).toMatchObject({ status: 200 }));
      expect(await ask(client, { body: bodyOf(`poison ${index}`) })).toMatchObject({ status: 500 });
    });
    for (const host of client.getStatus().hosts)
      expect(host).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
    // Hosts that answer nobody have no such excuse.
    first.reply = refusal(500, 'down');
    second.reply = reset;
    await repeat(3, (index) => ask(client, { body: bodyOf(`${index}`) }));
    for (const { failures } of client.getStatus().hosts) expect(failures).toBeGreaterThan(0);
  });

  it.each<[string, Reply]>([
    ['before the headers', silence],
    ['behind the headers', events(ROLE_CHUNK, true)],
  ])('counts against none of them where it hangs %s', async (_, hangs) => {
    const reply: Reply = (response, request, body) =>
      (body.includes('poison') ? hangs : chat('hello'))(response, request, body);
    await using first = await ScriptedHost.start(reply);
    await using second = await ScriptedHost.start(reply);
    const hosts = [entry('first', first.url), entry('second', second.url)];
    const times = { firstByteTimeoutMs: 150, idleTimeoutMs: 150, streams: { stallTimeoutMs: 150 } };
    const client = bench.client(hosts, times);
    const body = Buffer.from(STREAM.toString().replace('the prompt', 'poison'));
    await repeat(6, async () =>
      expect(await errorOf(send(client, { body }))).toMatchObject({ code: 'host_timeout' }),
    );
    for (const host of client.getStatus().hosts)
      expect(host).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
    // Not streamed, as that may take longer.
    expect(await ask(client)).toMatchObject({ status: 200, attempts: 1 });
  });

  it('is never what finds out how a host is', async () => {
    await using first = await ScriptedHost.start(poison);
    await using second = await ScriptedHost.start(poison);
    const circuitBreaker = { failureThreshold: 1, resetTimeoutMs: 1, resetJitter: 0 };
    const client = bench.client([entry('first', first.url), entry('second', second.url)], { circuitBreaker });
    await ask(client, { body: bodyOf('poison') });
    first.reply = refusal(500, 'down');
    second.reply = refusal(500, 'down as well');
    await ask(client);
    expect(client.getStatus().hosts.map(({ circuit }) => circuit.state)).toEqual(['OPEN', 'OPEN']);
    const asked = first.asked + second.asked;
    expect(await errorOf(send(client, { body: bodyOf('poison') }))).toMatchObject({
      code: 'no_host_available',
    });
    expect(first.asked + second.asked).toBe(asked);
    first.reply = second.reply = poison;
    expect(await ask(client)).toMatchObject({ status: 200 });
  });

  it('is remembered in bounded memory, and only for a while', async () => {
    await using first = await ScriptedHost.start(poison);
    await using second = await ScriptedHost.start(poison);
    const client = bench.client([entry('first', first.url), entry('second', second.url)], {
      budget: { minPerSecond: 10_000 },
    });
    await repeat(51, async (batch) => {
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => ask(client, { body: bodyOf(`poison ${batch} ${index}`) })),
      );
      expect(await ask(client)).toMatchObject({ status: 200 });
    });
    expect(client.getStatus().poisonousRequests).toBe(1_000);
    expect(await ask(client)).toMatchObject({ status: 200 });
  });

  it('uses up no further attempts that others need', async () => {
    await using first = await ScriptedHost.start(poison);
    await using second = await ScriptedHost.start(poison);
    const client = bench.client([entry('first', first.url), entry('second', second.url)], {
      budget: { ratio: 0, minPerSecond: 1 },
    });
    await repeat(40, async (index) => {
      expect(await ask(client, { body: bodyOf(`poison ${index}`) })).toMatchObject({ status: 500 });
      expect(await ask(client)).toMatchObject({ status: 200 });
    });
    first.reply = refusal(500, 'CUDA error');
    await repeat(8, async () => expect(await ask(client)).toMatchObject({ status: 200, host: 'second' }));
    expect(client.getStatus().budget.refused.fallback).toBe(0);
    for (const host of client.getStatus().hosts.slice(1))
      expect(host).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
  });

  it('is no excuse where different requests fail alike and none succeeds: the hosts are down', async () => {
    await using first = await ScriptedHost.start(refusal(500, 'engine dead'));
    await using second = await ScriptedHost.start(refusal(500, 'engine dead'));
    const client = bench.client([entry('first', first.url), entry('second', second.url)], {
      panic: { maxPerSecond: 5 },
    });
    let count = 0;
    const fail = () => ask(client, { body: bodyOf(`question ${(count += 1)}`) }).catch(() => undefined);
    const isOpen = () => client.getStatus().hosts.every(({ circuit }) => circuit.state === 'OPEN');
    await waitFor(() => fail().then(isOpen), { what: 'open breakers', timeoutMs: 20_000 });
    expect(await bench.metric('morgan_circuit_breaker_state{breaker="first",state="OPEN"}')).toBe('1');
    expect(client.getStatus().poisonousRequests).toBe(0);
    const [asked, startedAt] = [first.asked + second.asked, performance.now()];
    await Promise.all(Array.from({ length: 200 }, fail));
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(first.asked + second.asked - asked).toBeLessThanOrEqual(2 * 5 * (1 + seconds));
    first.reply = second.reply = chat('hello');
    const isBack = () => client.getStatus().hosts.some(({ circuit }) => circuit.state === 'CLOSED');
    await waitFor(() => ask(client).then(isBack, isBack), { what: 'a closed breaker' });
    expect(await ask(client, { body: bodyOf('question 1') })).toMatchObject({ status: 200, attempts: 1 });
  });

  it('but is the fault of one host only counts there', async () => {
    await using bad = await ScriptedHost.start(refusal(500, 'CUDA error'));
    await using good = await ScriptedHost.start();
    const client = bench.client([entry('bad', bad.url), entry('good', good.url)]);
    await repeat(12, async () => expect(await ask(client)).toMatchObject({ host: 'good' }));
    expect(bad.asked).toBe(5);
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 5, circuit: { state: 'OPEN' } });
  });
});

describe('a host that refuses whatever it is sent', () => {
  const alternately = { strategy: 'round_robin' } as const;

  it.each<[string, Reply, number]>([
    ['as malformed', json(400, { code: 'x_400', message: 'Request failed, check its correctness.' }), 8],
    ['as not for it', text(400, 'Client sent an HTTP request to an HTTPS server.'), 0],
  ])('%s is asked after others', async (_, reply, refused) => {
    await using bad = await ScriptedHost.start(reply);
    await using good = await ScriptedHost.start();
    const client = bench.client([entry('bad', bad.url), entry('good', good.url)], alternately);
    const statuses: number[] = [];
    await repeat(40, async () => statuses.push((await ask(client)).status));
    expect(statuses.filter((status) => status === 400)).toHaveLength(refused);
    expect(bad.asked).toBe(9);
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
    bad.reply = chat('hello');
    client.disableHost('good');
    expect(await ask(client)).toMatchObject({ status: 200, host: 'bad' });
    await client.enableHost('good');
    const hosts = new Set<string>();
    await repeat(4, async () => hosts.add((await ask(client)).host));
    expect(hosts).toEqual(new Set(['bad', 'good']));
  });

  it('does so of one model, and answers others as before', async () => {
    const reply: Reply = (response, request, body) =>
      (body.includes('"broken"') ? refusal(400, 'No template.') : chat('hello'))(response, request, body);
    await using host = await ScriptedHost.start(reply);
    await using other = await ScriptedHost.start();
    const client = bench.client([entry('host', host.url), entry('other', other.url)], alternately);
    const body = Buffer.from(JSON.stringify({ ...CHAT, model: 'broken' }));
    const statuses: number[] = [];
    await repeat(30, async () => {
      await ask(client);
      for (let more = 0; more < 2; more += 1) statuses.push((await ask(client, { body })).status);
    });
    expect(statuses.filter((status) => status === 400)).toHaveLength(8);
    expect(statuses.slice(-20)).toEqual(Array(20).fill(200));
  });

  it('does so at one path, and has its share of all else', async () => {
    const reply: Reply = (response, request, body) => {
      const isBroken = request.url?.endsWith('/completions') && !request.url.includes('chat');
      (isBroken ? refusal(400, 'No template.') : chat('hello'))(response, request, body);
    };
    await using host = await ScriptedHost.start(reply);
    await using other = await ScriptedHost.start(reply);
    const client = bench.client([entry('host', host.url), entry('other', other.url)], {
      routes: [{ model: 'of-host', tiers: [[{ host: 'host', model: 'simulated' }]] }],
    });
    const body = Buffer.from(JSON.stringify({ model: 'of-host', prompt: 'x' }));
    await repeat(12, async () =>
      expect(await ask(client, { path: '/completions', body })).toMatchObject({ status: 400 }),
    );
    const hosts: string[] = [];
    await repeat(4, async () => hosts.push((await ask(client)).host));
    expect(hosts.toSorted()).toEqual(['host', 'host', 'other', 'other']);
  });

  it('costs no further attempts that others need', async () => {
    await using one = await ScriptedHost.start(refusal(400, 'messages is empty'));
    await using two = await ScriptedHost.start(refusal(400, 'messages is empty'));
    const client = bench.client([entry('one', one.url), entry('two', two.url)], {
      budget: { ratio: 0, minPerSecond: 1 },
    });
    await repeat(40, async () => expect(await ask(client)).toMatchObject({ status: 400 }));
    expect(client.getStatus().budget.granted.fallback).toBe(0);
  });

  it('is none where others refuse it too: a call asks two of them at most', async () => {
    const malformed = refusal(400, 'messages is empty');
    await using one = await ScriptedHost.start(malformed);
    await using two = await ScriptedHost.start(malformed);
    await using three = await ScriptedHost.start(malformed);
    const client = bench.client([entry('one', one.url), entry('two', two.url), entry('three', three.url)]);
    await repeat(30, async () => {
      const { status, attempts } = await ask(client);
      expect([status, attempts <= 2]).toEqual([400, true]);
    });
  });
});

describe('an answer that is not streamed', () => {
  it('and takes too long is 504 once, and no host is blamed', async () => {
    await using first = await ScriptedHost.start(silence);
    await using second = await ScriptedHost.start(silence);
    const client = bench.client([entry('first', first.url), entry('second', second.url)], {
      answerTimeoutMs: 100,
    });
    jest.useFakeTimers(STOPPED_CLOCK);
    const calls = Promise.all([errorOf(send(client)), errorOf(send(client))]);
    await waitFor(() => first.asked + second.asked === 2, { what: 'both calls' });
    jest.advanceTimersByTime(100);
    const errors = await calls;
    expect(errors.map(({ code, status }) => [code, status])).toEqual([
      ['host_timeout', 504],
      ['host_timeout', 504],
    ]);
    expect(first.asked + second.asked).toBe(2);
    for (const host of client.getStatus().hosts)
      expect(host).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
  });

  it('goes elsewhere where its route says so', async () => {
    await using slow = await ScriptedHost.start(silence);
    await using quick = await ScriptedHost.start();
    const client = bench.client([entry('slow', slow.url), entry('quick', quick.url)], {
      routes: [
        {
          model: 'simulated',
          tiers: [[{ host: 'slow' }], [{ host: 'quick' }]],
          answerTimeoutMs: 100,
          repeatSlowAnswers: true,
        },
      ],
    });
    jest.useFakeTimers(STOPPED_CLOCK);
    const answer = ask(client);
    await waitFor(() => slow.asked === 1, { what: 'the call' });
    jest.advanceTimersByTime(100);
    expect(await answer).toMatchObject({ host: 'quick', attempts: 2 });
  });
});

describe('a stream whose first token is late', () => {
  it('is begun at a second host, and the first to begin is handed out', async () => {
    await using frozen = await ScriptedHost.start(events(ROLE_CHUNK, true));
    await using good = await ScriptedHost.start();
    const client = bench.client([entry('frozen', frozen.url), entry('good', good.url)], {
      firstTokenTimeoutMs: 100,
    });
    expect(await ask(client, { body: STREAM })).toMatchObject({ host: 'good', attempts: 2 });
    await waitFor(() => client.getStatus().hosts[0]?.inFlight === 0, { what: 'the end of the loser' });
    expect(await bench.metric('morgan_llm_host_requests_total{host="frozen",outcome="outrun"}')).toBe('1');
    expect(client.getStatus().budget.granted.hedge).toBe(1);
  });

  it('is not asked for once more where nothing came in time and there is nowhere else to go', async () => {
    await using sole = await ScriptedHost.start(silence);
    const client = bench.client([entry('sole', sole.url)], { firstByteTimeoutMs: 150 });
    jest.useFakeTimers(STOPPED_CLOCK);
    const error = errorOf(send(client, { body: STREAM }));
    await waitFor(() => sole.asked === 1, { what: 'the call' });
    jest.advanceTimersByTime(150);
    expect(await error).toMatchObject({ code: 'host_timeout' });
    expect(sole.asked).toBe(1);
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 1, lastError: 'timeout' });
  });

  it('waits where there is nowhere else to go', async () => {
    await using slow = await ScriptedHost.start((response, request, body) => {
      setTimeout(() => chat('hello')(response, request, body), 300);
    });
    const client = bench.client([entry('slow', slow.url)], { firstTokenTimeoutMs: 50 });
    expect(await ask(client, { body: STREAM })).toMatchObject({ host: 'slow', attempts: 1 });
  });
});

describe('panic', () => {
  it('never refuses all: the sole host is asked while its circuit is open, and the first success closes it', async () => {
    await using only = await ScriptedHost.start(refusal(500, 'down'));
    const client = bench.client([entry('only', only.url)]);
    await repeat(6, (index) => ask(client, { body: bodyOf(String(index)) }));
    expect(client.getStatus().hosts[0]).toMatchObject({ circuit: { state: 'OPEN' } });
    only.reply = chat('hello');
    await repeat(5, async () => expect(await ask(client)).toMatchObject({ status: 200 }));
    expect(client.getStatus().hosts[0]).toMatchObject({ circuit: { state: 'CLOSED' } });
  });

  it('is bounded', async () => {
    await using only = await ScriptedHost.start(refusal(500, 'down'));
    const client = bench.client([entry('only', only.url)], { panic: { concurrency: 2 } });
    await repeat(6, (index) => ask(client, { body: bodyOf(String(index)) }));
    only.reply = silence;
    const asked = only.asked;
    const caller = new AbortController();
    const calls = Array.from({ length: 6 }, () => errorOf(send(client, {}, { signal: caller.signal })));
    const refused = await Promise.all(calls.slice(2));
    await waitFor(() => only.asked - asked === 2, { what: 'the two calls to arrive' });
    caller.abort();
    await Promise.all(calls);
    expect(refused.map(({ code }) => code)).toEqual(Array(4).fill('no_host_available'));
    expect(only.asked - asked).toBe(2);
  });
});
