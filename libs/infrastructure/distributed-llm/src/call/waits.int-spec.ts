import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Deadline } from '@morgan/foundation';
import { freePort, STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, errorOf, send, STREAM } from '../../fixture/client-bench.ts';
import {
  chat,
  CONTENT_CHUNK,
  END_CHUNKS,
  events,
  refusal,
  reset,
  ROLE_CHUNK,
  ScriptedHost,
} from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';
import type { LlmHostOptions } from '../hosts/host-list.ts';

const OPEN = events(ROLE_CHUNK + CONTENT_CHUNK, true);

const bench = new ClientBench();
let above: ScriptedHost;
let below: ScriptedHost;

beforeEach(async () => {
  above = await ScriptedHost.start();
  below = await ScriptedHost.start();
});
afterEach(async () => {
  jest.useRealTimers();
  await bench.close();
  await above.close();
  await below.close();
});

/** One host with limits, and another in the tier below it. */
function tiered(limits: Partial<LlmHostOptions>, settings: object = {}): DistributedLlmClient {
  const routes = [{ model: CHAT.model, tiers: [[{ host: 'above' }], [{ host: 'below' }]] }];
  return bench.client([entry('above', above.url, limits), entry('below', below.url)], {
    routes,
    answerTimeoutMs: 20_000,
    ...settings,
  });
}

const read = async (client: DistributedLlmClient, body?: Buffer, context = {}) => {
  const response = await send(client, body ? { body } : {}, context);
  await response.body.bytes();
  return response;
};
const attempts = (host: string, outcome: string) =>
  bench.metric(`morgan_llm_host_requests_total{host="${host}",outcome="${outcome}"}`);

describe('a call in the queue of a limit of ours', () => {
  it('that another host takes over says nothing of the host that never saw it', async () => {
    above.reply = OPEN;
    const client = tiered({ concurrency: { maxConcurrent: 1 } }, { firstTokenTimeoutMs: 30 });
    const { body } = await send(client, { body: STREAM });
    for (let call = 0; call < 4; call += 1) expect((await read(client, STREAM)).host).toBe('below');
    expect([await attempts('above', 'outrun'), above.asked]).toEqual([undefined, 1]);
    expect(client.getMetrics()['above']).toMatchObject({
      failures: 0,
      inFlight: 1,
      circuit: { totals: { failure: 0 } },
      limits: { concurrency: { running: 1, waiting: 0 } },
    });
    body.destroy();
  });

  it.each([
    ['bulkhead', { concurrency: { maxConcurrent: 1 } }],
    ['rate', { rateLimit: { requestsPerSecond: 0.1, maxWaitMs: 60_000 } }],
  ])('ends as its caller leaves, with a reason of any kind: %s', async (_, limits) => {
    above.reply = OPEN;
    const client = bench.client([entry('above', above.url, limits)]);
    const { body } = await send(client, { body: STREAM });
    const left = send(client, { body: STREAM }, { signal: AbortSignal.timeout(50) });
    await expect(left).rejects.toMatchObject({ code: 'client_closed_request' });
    expect(await attempts('above', 'aborted')).toBe('1');
    expect(client.getMetrics()['above']).toMatchObject({ inFlight: 1, failures: 0 });
    body.destroy();
    await waitFor(() => client.getMetrics()['above']?.inFlight === 0, { what: 'the end of the stream' });
  });
});

describe('a limit of ours at a host above another tier', () => {
  /** The host above answers when the test says so. */
  const hold = () => {
    const held: (() => void)[] = [];
    above.reply = (...exchange) => void held.push(() => chat('hello')(...exchange));
    return held;
  };

  it('is waited for as long as a rest, and then the lower tier is asked', async () => {
    const held = hold();
    const client = tiered({ concurrency: { maxConcurrent: 1 } }, { maxRetryAfterWaitMs: 50 });
    const first = read(client);
    await waitFor(() => above.asked === 1, { what: 'the call that has the slot' });
    const startedAt = performance.now();
    expect(await read(client)).toMatchObject({ host: 'below', attempts: 1 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(30);
    expect(client.getMetrics()['above']).toMatchObject({ failures: 0, inFlight: 1, requests: 1 });
    held[0]?.();
    expect((await first).host).toBe('above');
  });

  it('is waited for where it is free in time', async () => {
    const held = hold();
    const client = tiered({ concurrency: { maxConcurrent: 1 } });
    const first = read(client);
    await waitFor(() => above.asked === 1, { what: 'the call that has the slot' });
    const second = read(client);
    const waiting = () => client.getMetrics()['above']?.limits.concurrency?.waiting;
    await waitFor(() => waiting() === 1, { what: 'the call in the queue' });
    held[0]?.();
    await waitFor(() => above.asked === 2, { what: 'its turn' });
    held[1]?.();
    expect([(await first).host, (await second).host, below.asked]).toEqual(['above', 'above', 0]);
  });

  it('is not waited for where it is known to take longer', async () => {
    const rateLimit = { requestsPerSecond: 0.01, maxWaitMs: 200_000 };
    const client = tiered({ rateLimit });
    for (const host of ['above', 'below', 'below']) expect((await read(client)).host).toBe(host);
  });

  it('is waited for without a second try where there is no tier below', async () => {
    const rateLimit = { requestsPerSecond: 10, burst: 1 };
    const client = bench.client([entry('above', above.url, { rateLimit })], { maxRetryAfterWaitMs: 10 });
    for (let call = 0; call < 2; call += 1) expect((await read(client)).host).toBe('above');
    expect(client.getMetrics()['above']?.limits.rateLimit).toMatchObject({ admitted: 2, refused: 0 });
  });

  it.each([
    ['is taken out', 1],
    ['fails', 3],
  ])('is waited for longer where the tier below %s', async (what, made) => {
    below.reply = refusal(500, 'CUDA');
    const held = hold();
    const client = tiered({ concurrency: { maxConcurrent: 1 } }, { maxRetryAfterWaitMs: 10 });
    if (what === 'is taken out') client.drainHost('below');
    const first = read(client);
    await waitFor(() => above.asked === 1, { what: 'the call that has the slot' });
    const second = read(client);
    if (what === 'fails') await waitFor(() => below.asked === 2, { what: 'both attempts below' });
    held[0]?.();
    await waitFor(() => above.asked === 2, { what: 'its turn' });
    held[1]?.();
    await first;
    expect(await second).toMatchObject({ host: 'above', status: 200, attempts: made });
  });

  it('is not held by what failed, while the call goes on', async () => {
    above.reply = reset;
    const client = tiered({ concurrency: { maxConcurrent: 1 } });
    let finish: (() => void) | undefined;
    below.reply = (...exchange) => void (finish = () => chat('hello')(...exchange));
    const call = read(client);
    // Twice at the only host of its tier, and then below.
    await waitFor(() => finish !== undefined, { what: 'the lower tier' });
    expect(client.getMetrics()['above']?.limits.concurrency).toMatchObject({ running: 0, waiting: 0 });
    finish?.();
    expect(await call).toMatchObject({ host: 'below', attempts: 3 });
  });

  it('holds in a panic, too', async () => {
    above.reply = reset;
    const client = bench.client([entry('above', above.url, { concurrency: { maxConcurrent: 1 } })], {
      circuitBreaker: { failureThreshold: 1 },
      answerTimeoutMs: 20_000,
    });
    await read(client).catch(() => undefined);
    const figures = () => client.getMetrics()['above'];
    expect(figures()?.circuit.state).toBe('OPEN');
    const { asked } = above;
    const held = hold();
    const calls = [1, 2, 3].map(() => read(client));
    await waitFor(() => figures()?.limits.concurrency?.waiting === 2, { what: 'those that wait' });
    await waitFor(() => above.asked === asked + 1, { what: 'the one that does not' });
    for (let call = 0; call < 3; call += 1) {
      await waitFor(() => held.length > call, { what: 'the next one' });
      held[call]?.();
    }
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(figures()).toMatchObject({
      inFlight: 0,
      circuit: { state: 'CLOSED' },
      limits: { concurrency: { running: 0, waiting: 0 } },
    });
  });

  it('that is used up tells callers when to come back', async () => {
    const rateLimit = { requestsPerSecond: 0.1, maxWaitMs: 0 };
    const client = bench.client([entry('above', above.url, { rateLimit })]);
    await read(client);
    const { code, retryAfterMs } = await errorOf(send(client));
    expect(code).toBe('no_host_available');
    expect(retryAfterMs).toBeGreaterThan(5_000);
    expect(retryAfterMs).toBeLessThanOrEqual(10_000);
  });
});

describe('the limit of tokens of a host', () => {
  const tokens = Math.ceil(JSON.stringify(CHAT).length / 4);

  it.each([
    ['refused', refusal(400, 'no')],
    ['refused for load', refusal(429, 'later', { headers: { 'retry-after-ms': '1' } })],
  ])('has nothing taken from it by what was %s', async (_, reply) => {
    const client = bench.client(
      [entry('above', above.url, { tokenLimit: { tokensPerMinute: tokens + 1, maxWaitMs: 0 } })],
      { maxRetryAfterWaitMs: 0 },
    );
    above.reply = reply;
    for (let call = 0; call < 3; call += 1) {
      expect((await read(client)).status).toBeGreaterThanOrEqual(400);
      await waitFor(() => client.getMetrics()['above']?.rests.length === 0, { what: 'the end of the rest' });
    }
    above.reply = chat('hello');
    expect((await read(client)).status).toBe(200);
  });

  it('has nothing taken from it by what never came there', async () => {
    const tokenLimit = { tokensPerMinute: tokens + 1, maxWaitMs: 0 };
    const client = bench.client([entry('away', `http://127.0.0.1:${await freePort()}/v1`, { tokenLimit })]);
    for (let call = 0; call < 3; call += 1) await errorOf(send(client));
    expect(client.getMetrics()['away']?.limits.tokenLimit).toMatchObject({ admitted: 3, refused: 0 });
  });

  it('lets a call through that is estimated above all of it, where no other host is', async () => {
    const tokenLimit = { tokensPerMinute: 5, maxWaitMs: 0 };
    const client = bench.client([entry('above', above.url, { tokenLimit })]);
    const response = await read(client);
    expect((await errorOf(send(client))).code).toBe('no_host_available');
    response.settleTokens?.(0);
    expect((await read(client)).status).toBe(200);
  });
});

describe('a rest', () => {
  it('that a host asked for is not over because an older call ends well', async () => {
    let finish: (() => void) | undefined;
    above.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(ROLE_CHUNK + CONTENT_CHUNK);
      finish = () => response.end(END_CHUNKS);
    };
    const client = bench.client([entry('above', above.url)]);
    const older = await send(client, { body: STREAM });
    above.reply = refusal(429, 'full', { headers: { 'retry-after': '60' } });
    expect((await read(client)).status).toBe(429);
    finish?.();
    await older.body.bytes();
    await waitFor(async () => (await attempts('above', 'ok')) === '1', { what: 'the end of the older call' });
    expect((await read(client)).status).toBe(429);
    expect([above.asked, client.getMetrics()['above']?.rests.length]).toEqual([2, 1]);
  });

  it('is over with the first content of a stream, not with its end', async () => {
    above.reply = refusal(529, 'Overloaded', { type: 'overloaded_error' });
    const client = bench.client([entry('above', above.url)]);
    expect((await read(client)).status).toBe(529);
    expect(client.getMetrics()['above']?.rests).toHaveLength(1);
    above.reply = OPEN;
    const { body } = await send(client, { body: STREAM });
    expect(client.getMetrics()['above']).toMatchObject({ rests: [], inFlight: 1 });
    body.destroy();
  });

  it('of ten years is told to callers as long as it is kept', async () => {
    above.reply = refusal(429, 'full', { headers: { 'retry-after': '315360000' } });
    const client = bench.client([entry('above', above.url)], { maxRestMs: 90_000 });
    for (let call = 0; call < 2; call += 1) {
      const { headers } = await read(client);
      const said = Number(headers[headers.findIndex((name) => name.toLowerCase() === 'retry-after') + 1]);
      expect(said).toBeGreaterThan(60);
      expect(said).toBeLessThanOrEqual(90);
    }
    expect(above.asked).toBe(1);
  });

  it('is not waited for where no time would be left for the answer', async () => {
    const client = tiered({}, { maxRetryAfterWaitMs: 60_000 });
    above.reply = (...exchange) => void delay(600).then(() => chat('hello')(...exchange));
    expect((await read(client)).host).toBe('above');
    above.reply = refusal(429, 'full', { headers: { 'retry-after-ms': '19500' } });
    expect((await read(client, undefined, { deadline: Deadline.after(20_000) })).host).toBe('below');
    expect(above.asked).toBe(2);
  });

  it('is not waited for where money would have to come first, whatever time its host names', async () => {
    const headers = { 'retry-after': '1' };
    above.reply = refusal(429, 'You exceeded your current quota.', { code: 'insufficient_quota', headers });
    const client = bench.client([entry('above', above.url)]);
    for (let call = 0; call < 2; call += 1) expect((await read(client)).status).toBe(429);
    expect(above.asked).toBe(1);
  });

  it('of milliseconds, again and again, does not use up the further attempts of all other calls', async () => {
    const headers = { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '2ms' };
    above.reply = refusal(429, 'full', { headers });
    const client = bench.client([entry('above', above.url)], { maxRetryAfterWaitMs: 400 });
    expect((await read(client)).status).toBe(429);
    expect(above.asked).toBeLessThanOrEqual(5);
  });

  it('is waited for by nobody who has left', async () => {
    above.reply = refusal(429, 'full', { headers: { 'retry-after-ms': '3000' } });
    const client = bench.client([entry('above', above.url)]);
    const caller = new AbortController();
    const call = send(client, {}, { signal: caller.signal });
    const rests = () => client.getMetrics()['above']?.rests.length;
    await waitFor(() => rests() === 1, { what: 'the rest' });
    caller.abort();
    await expect(call).rejects.toMatchObject({ code: 'client_closed_request' });
    expect([rests(), above.asked]).toEqual([1, 1]);
  });

  it('is not over for all who wait for it in the same moment', async () => {
    const came: number[] = [];
    above.reply = (...exchange) => {
      came.push(performance.now());
      const full = refusal(429, 'full', { headers: { 'retry-after-ms': '1600' } });
      const reply = came.length === 1 ? full : chat('hello');
      reply(...exchange);
    };
    const client = bench.client([entry('above', above.url)], { budget: { minPerSecond: 100 } });
    jest.useFakeTimers(STOPPED_CLOCK);
    const first = read(client);
    await waitFor(() => client.getMetrics()['above']?.rests.length === 1, { what: 'the rest' });
    const calls = Promise.all([first, ...Array.from({ length: 39 }, () => read(client))]);
    let isOver = false;
    void calls.finally(() => (isOver = true));
    await waitFor(() => isOver || void jest.advanceTimersByTime(50), { what: 'all of them' });
    expect((await calls).filter(({ status }) => status !== 200)).toEqual([]);
    // They are spread over a quarter of that time.
    const [, earliest = NaN] = came;
    expect((came.at(-1) ?? NaN) - earliest).toBeGreaterThan(200);
  });
});

describe('a host that asked for a rest and is down at its end', () => {
  const request = {
    method: 'POST' as const,
    path: '/chat/completions',
    headers: {},
    body: Buffer.from(JSON.stringify(CHAT)),
  };

  /** The rest is short enough now to be waited for. */
  async function downAndResting(client: DistributedLlmClient): Promise<void> {
    await client.start();
    above.reply = refusal(503, 'Loading model', { headers: { 'retry-after-ms': '5500' } });
    await read(client);
    above.list = reset;
    const ofHost = () => client.getMetrics()['above'];
    while (ofHost()?.health?.state !== 'UNHEALTHY') await client.healthCheckAll();
    await waitFor(() => (ofHost()?.rests[0]?.remainingMs ?? Infinity) < 4_900, { what: 'a shorter rest' });
  }

  it('is not waited for where a lower tier can serve', async () => {
    const client = tiered({});
    await downAndResting(client);
    expect(client.explain(request)).toMatchObject({ decision: 'ask', tier: 1 });
    expect((await read(client)).host).toBe('below');
    expect(above.asked).toBe(1);
  });

  it('is waited for where there is nobody else', async () => {
    const client = bench.client([entry('above', above.url)]);
    await downAndResting(client);
    expect(client.explain(request)).toMatchObject({ decision: 'wait', tier: 0 });
  });
});
