import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority, waitFor } from '@morgan/testing';
import { ClientBench, entry, errorOf, send, SETTINGS } from '../../fixture/client-bench.ts';
import {
  chat,
  CONTENT_CHUNK,
  END_CHUNKS,
  events,
  json,
  models,
  refusal,
  ROLE_CHUNK,
  ScriptedHost,
} from '../../fixture/scripted-host.ts';

const BODY = { model: 'simulated', messages: [] };

const bench = new ClientBench();
let one: ScriptedHost;
let two: ScriptedHost;

beforeEach(async () => {
  one = await ScriptedHost.start();
  two = await ScriptedHost.start();
});

afterEach(async () => {
  await bench.close();
  await one.close();
  await two.close();
});

const post = async (client: ReturnType<ClientBench['client']>) =>
  (await client.post('/chat/completions', BODY)).host;

describe('a reload', () => {
  it('sends new calls to the new hosts, and lets a live one end where it is', async () => {
    one.reply = events(ROLE_CHUNK + CONTENT_CHUNK, true);
    const client = bench.client([entry('one', one.url)]);
    await client.start();
    const live = await send(client, { stream: true });
    await client.reload({ ...SETTINGS, hosts: [entry('two', two.url)] });
    expect(await post(client)).toBe('two');
    expect(two.lists).toBe(1);
    one.reply = () => undefined;
    expect(live.host).toBe('one');
    live.body.destroy();
    expect(Object.keys(client.getMetrics())).toEqual(['two']);
  });

  it('ends the counts of a host that leaves, and keeps those of a name that stays', async () => {
    const client = bench.client([entry('one', one.url), entry('two', two.url)]);
    await client.start();
    for (let call = 0; call < 4; call += 1) await post(client);
    const shown = async () => new Set((await bench.scrape()).match(/(?<=")(one|two)(?=[":])/g));
    expect(await shown()).toEqual(new Set(['one', 'two']));
    await client.reload({ ...SETTINGS, hosts: [entry('one', two.url)] });
    expect(await shown()).toEqual(new Set(['one']));
  });

  it('ends the counts of a host that leaves with a call, when that is over', async () => {
    let finish: (() => void) | undefined;
    one.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(ROLE_CHUNK + CONTENT_CHUNK);
      finish = () => response.end(END_CHUNKS);
    };
    const client = bench.client([entry('one', one.url)]);
    const live = await send(client, { stream: true });
    await client.reload({ ...SETTINGS, hosts: [entry('two', two.url)] });
    finish?.();
    await live.body.bytes();
    // The end of a later call: by then that of the first is counted.
    await post(client);
    await waitFor(async () => !(await bench.scrape()).includes('"one"'), { what: 'the end of its counts' });
  });

  it('cuts no live stream of a host that leaves with a connection of its own', async () => {
    let finish: (() => void) | undefined;
    const authority = new CertificateAuthority('tests');
    one.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(ROLE_CHUNK + CONTENT_CHUNK);
      finish = () => response.end(END_CHUNKS);
    };
    const client = bench.client([entry('one', one.url, { tls: { ca: authority.cert } })]);
    const live = await send(client, { stream: true });
    await client.reload({ ...SETTINGS, hosts: [entry('two', two.url)] });
    finish?.();
    expect((await live.body.bytes()).toString()).toContain('[DONE]');
  });

  it('cuts no live stream of two configurations ago either', async () => {
    const authority = new CertificateAuthority('tests');
    let finish: (() => void) | undefined;
    one.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(ROLE_CHUNK + CONTENT_CHUNK);
      finish = () => response.end(END_CHUNKS);
    };
    const own = entry('one', one.url, { tls: { ca: authority.cert } });
    const client = bench.client([own]);
    const live = await send(client, { stream: true });
    await client.reload({ ...SETTINGS, hosts: [own, entry('two', two.url)] });
    await client.reload({ ...SETTINGS, hosts: [entry('two', two.url)] });
    // Whatever closes connections has had its turn.
    expect(await post(client)).toBe('two');
    finish?.();
    expect((await live.body.bytes()).toString()).toContain('[DONE]');
  });

  it('keeps what is known of a host that is configured as before, and its weight by hand', async () => {
    one.reply = refusal(429, 'later', { headers: { 'retry-after': '60' } });
    const hosts = [entry('one', one.url), entry('two', two.url)];
    const client = bench.client(hosts);
    await client.start();
    for (let call = 0; call < 3; call += 1) expect(await post(client)).toBe('two');
    client.setHostWeight('two', 7);
    expect(client.getMetrics()['one']?.rests).toHaveLength(1);
    const routes = [{ model: 'other', tiers: [[{ host: 'one' }]] }];
    await client.reload({ ...SETTINGS, hosts, routes, maxRetryAfterWaitMs: 1 });
    expect(client.getMetrics()['one']).toMatchObject({ requests: 1, rests: [{ outcome: 'rate_limited' }] });
    expect(client.getMetrics()['two']).toMatchObject({ requests: 3, weight: 7 });
    expect([one.lists, two.lists]).toEqual([1, 1]);
    await client.reload({ ...SETTINGS, hosts: [hosts[0]!, entry('two', two.url, { weight: 3 })] });
    expect(client.getMetrics()['two']).toMatchObject({ requests: 3, weight: 3 });
  });

  it('makes a host anew whose settings changed, out of rotation where it was', async () => {
    const client = bench.client([entry('one', one.url), entry('two', two.url)]);
    await client.start();
    client.disableHost('one');
    client.drainHost('two');
    await client.reload({ ...SETTINGS, hosts: [entry('one', two.url), entry('two', one.url)] });
    const { one: first, two: second } = client.getMetrics();
    expect([first?.mode, second?.mode]).toEqual(['disabled', 'draining']);
    expect(two.lists).toBe(1);
    expect(one.lists).toBe(2);
  });

  it('makes a host anew whose settings changed, with the weight and the breaker that were set by hand', async () => {
    const client = bench.client([entry('one', one.url), entry('two', two.url), entry('three', two.url)]);
    client.setHostWeight('one', 5);
    client.setHostCircuit('one', 'open');
    client.setHostCircuit('two', 'closed');
    client.setHostWeight('three', 5);
    const changed = { headers: { 'x-team': 'blue' } };
    await client.reload({
      ...SETTINGS,
      hosts: [
        entry('one', one.url, changed),
        entry('two', two.url, changed),
        entry('three', two.url, { weight: 2 }),
      ],
    });
    const { one: first, two: second, three: third } = client.getMetrics();
    expect(first).toMatchObject({ weight: 5, circuit: { state: 'OPEN', held: true } });
    expect(second).toMatchObject({ weight: 1, circuit: { state: 'CLOSED', held: true } });
    expect(third).toMatchObject({ weight: 2, circuit: { held: false } });
  });

  it('makes a host anew at the same URL with the load that is there and what its limits have let through', async () => {
    const ends: (() => void)[] = [];
    one.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(ROLE_CHUNK + CONTENT_CHUNK);
      ends.push(() => response.end(END_CHUNKS));
    };
    const limits = {
      concurrency: { maxConcurrent: 2, maxQueue: 0 },
      rateLimit: { requestsPerSecond: 0.01, burst: 4, maxWaitMs: 0 },
    };
    const client = bench.client([entry('one', one.url, limits)]);
    const stream = () => send(client, { stream: true });
    const live = [await stream(), await stream()];
    const changed = { ...limits, headers: { 'x-team': 'blue' } };
    await client.reload({ ...SETTINGS, hosts: [entry('one', one.url, changed)] });
    expect(client.getMetrics()['one']).toMatchObject({ inFlight: 2, requests: 2 });
    expect(await errorOf(stream())).toMatchObject({ code: 'no_host_available' });
    for (const end of ends.splice(0)) end();
    for (const { body } of live) await body.bytes();
    await waitFor(() => client.getMetrics()['one']?.inFlight === 0, { what: 'the end of both' });
    // Two of the four requests are left, of which none was given back.
    for (const response of [await stream(), await stream()]) response.body.destroy();
    await waitFor(() => client.getMetrics()['one']?.inFlight === 0, { what: 'the end of two more' });
    expect(await errorOf(stream())).toMatchObject({ code: 'no_host_available' });
    expect(one.asked).toBe(4);
    // What goes on is shown, too.
    for (const gauge of [
      'morgan_rate_limiter_keys{limiter="one"}',
      'morgan_concurrency_running{bulkhead="one"}',
    ])
      expect(await bench.metric(gauge)).toBeDefined();
  });

  it('makes a host anew at another URL, or with another limit, without any of that', async () => {
    const rateLimit = { requestsPerSecond: 0.01, burst: 1, maxWaitMs: 0 };
    const client = bench.client([entry('one', one.url, { rateLimit }), entry('two', two.url, { rateLimit })]);
    for (let call = 0; call < 2; call += 1) await post(client);
    await errorOf(send(client));
    const wider = { rateLimit: { ...rateLimit, burst: 2 } };
    await client.reload({
      ...SETTINGS,
      hosts: [entry('one', one.url.replace('/v1', '/v2'), { rateLimit }), entry('two', two.url, wider)],
    });
    for (let call = 0; call < 3; call += 1) await post(client);
    expect([one.asked, two.asked]).toEqual([2, 3]);
  });

  it('changes nothing where the settings are wrong', async () => {
    const client = bench.client([entry('one', one.url)]);
    const routes = [{ model: 'm', tiers: [[{ host: 'nobody' }]] }];
    await expect(client.reload({ hosts: [entry('two', two.url)], routes })).rejects.toThrow('nobody');
    expect(await post(client)).toBe('one');
    expect(Object.keys(client.getMetrics())).toEqual(['one']);
  });

  it('shows no more of a host that is gone', async () => {
    const client = bench.client([entry('one', one.url), entry('two', two.url)]);
    await client.start();
    await post(client);
    const inFlight = (name: string) => bench.metric(`morgan_llm_host_in_flight{host="${name}"}`);
    await waitFor(async () => (await inFlight('one')) === '0', { what: 'the end of the call' });
    await client.reload({ ...SETTINGS, hosts: [entry('two', two.url)] });
    for (const name of ['morgan_llm_host_in_flight{host', 'morgan_circuit_breaker_state{breaker'])
      expect(await bench.metric(`${name}="one"`)).toBeUndefined();
    expect(await inFlight('two')).toBe('0');
  });
});

describe('by hand', () => {
  it('a weight shifts the calls, and one out of its bounds is refused', async () => {
    const client = bench.client([entry('one', one.url), entry('two', two.url)]);
    client.setHostWeight('one', 3);
    for (let call = 0; call < 8; call += 1) await post(client);
    expect([one.asked, two.asked]).toEqual([6, 2]);
    for (const weight of [0, -1, 1001, NaN]) expect(() => client.setHostWeight('one', weight)).toThrow();
    expect(() => client.setHostWeight('nobody', 1)).toThrow(RangeError);
  });

  it('a breaker is held open, and decides by itself again', async () => {
    const hosts = [entry('one', one.url), entry('two', two.url)];
    const client = bench.client(hosts, { circuitBreaker: { failureThreshold: 2 } });
    client.setHostCircuit('one', 'open');
    for (let call = 0; call < 4; call += 1) expect(await post(client)).toBe('two');
    client.setHostCircuit('one', 'auto');
    expect([await post(client), await post(client)].sort()).toEqual(['one', 'two']);
    client.setHostCircuit('one', 'closed');
    const { asked } = one;
    one.reply = json(500, {});
    for (let call = 0; call < 40; call += 1) expect(await post(client)).toBe('two');
    expect(client.getMetrics()['one']?.circuit.state).toBe('CLOSED');
    expect(one.asked - asked).toBeGreaterThan(2);
  });

  it('a breaker that is held open is not asked in a panic either, and no success lets it go', async () => {
    const client = bench.client([entry('one', one.url), entry('two', two.url)], {
      circuitBreaker: { failureThreshold: 1 },
    });
    client.setHostCircuit('one', 'open');
    two.reply = json(500, {});
    for (let call = 0; call < 3; call += 1) await post(client).catch(() => undefined);
    client.disableHost('two');
    const error = await errorOf(send(client));
    expect([error.code, error.retryAfterMs]).toEqual(['no_host_available', undefined]);
    expect(error.message).toContain('An operator');
    expect(one.asked).toBe(0);
    expect(client.getMetrics()['one']).toMatchObject({ circuit: { state: 'OPEN', held: true } });
  });

  it('a host that is drained or disabled shows as such', async () => {
    const client = bench.client([entry('one', one.url), entry('two', two.url)]);
    const modes = async (host: string) => {
      const values = ['enabled', 'draining', 'disabled'].map((mode) =>
        bench.metric(`morgan_llm_host_mode{host="${host}",mode="${mode}"}`),
      );
      return (await Promise.all(values)).join();
    };
    expect([await modes('one'), await modes('two')]).toEqual(['1,0,0', '1,0,0']);
    client.drainHost('one');
    client.disableHost('two');
    expect([await modes('one'), await modes('two')]).toEqual(['0,1,0', '0,0,1']);
  });

  it('a host that is disabled is not probed, whoever asks', async () => {
    const client = bench.client([entry('one', one.url), entry('two', two.url)]);
    await client.start();
    client.disableHost('one');
    await client.healthCheckAll();
    expect([one.lists, two.lists]).toEqual([1, 2]);
  });

  it('a breaker that is held open takes its host out of what callers see', async () => {
    one.list = models('alone');
    const client = bench.client([entry('one', one.url)]);
    await client.start();
    expect([client.read().up, client.models().length]).toEqual([true, 1]);
    client.setHostCircuit('one', 'open');
    expect([client.read().up, client.models().length]).toEqual([false, 0]);
  });

  it('a breaker that is held closed stays so through a panic', async () => {
    one.reply = (response) => response.destroy();
    one.list = (response) => response.destroy();
    const client = bench.client([entry('one', one.url)], { budget: { minPerSecond: 0 } });
    client.setHostCircuit('one', 'closed');
    let calls = 0;
    while (client.getMetrics()['one']?.health?.state !== 'UNHEALTHY') {
      await send(client, { body: Buffer.from(`{"model":"m","n":${(calls += 1)}}`) }).catch(() => undefined);
      expect(calls).toBeLessThan(100);
    }
    one.reply = chat('back');
    expect(await post(client)).toBe('one');
    expect(client.getMetrics()['one']).toMatchObject({ circuit: { state: 'CLOSED', held: true } });
  });

  it('a rest is forgotten', async () => {
    one.reply = refusal(429, 'later', { headers: { 'retry-after': '60' } });
    const client = bench.client([entry('one', one.url), entry('two', two.url)]);
    await post(client);
    await waitFor(() => client.getMetrics()['one']?.rests.length === 1, { what: 'the rest' });
    one.list = models();
    client.forgetRests('one');
    expect(client.getMetrics()['one']?.rests).toEqual([]);
    await post(client);
    await post(client);
    expect(one.asked).toBe(2);
  });
});
