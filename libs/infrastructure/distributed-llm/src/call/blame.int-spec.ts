import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import {
  ask,
  bodyOf,
  CHAT,
  ClientBench,
  entry,
  errorOf,
  repeat,
  send,
  STREAM,
} from '../../fixture/client-bench.ts';
import {
  chat,
  events,
  json,
  refusal,
  type Reply,
  reset,
  ROLE_CHUNK,
  ScriptedHost,
  silence,
  text,
} from '../../fixture/scripted-host.ts';

const bench = new ClientBench();
afterEach(() => {
  jest.useRealTimers();
  return bench.close();
});

const messageIn = (says: string) => (JSON.parse(says) as { error: { message: string } }).error.message;

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
