import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RedisConnection } from '@morgan/redis';
import { redisUrl, waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, errorOf, send, STREAM } from '../../fixture/client-bench.ts';
import {
  chat,
  CONTENT_CHUNK,
  END_CHUNKS,
  events,
  refusal,
  type Reply,
  reset,
  ROLE_CHUNK,
  ScriptedHost,
} from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';
import type { LlmHostOptions } from '../hosts/host-list.ts';

const bench = new ClientBench();
let full: ScriptedHost;
let idle: ScriptedHost;
const connections: RedisConnection[] = [];

beforeEach(async () => {
  [full, idle] = await Promise.all([ScriptedHost.start(), ScriptedHost.start()]);
});

afterEach(async () => {
  await bench.close();
  await Promise.all(connections.splice(0).map((connection) => connection.stop()));
  for (const host of [full, idle]) await host.close();
});

async function connect(): Promise<RedisConnection> {
  const connection = new RedisConnection({ url: redisUrl(), commandTimeoutMs: 2_000 });
  connections.push(connection);
  connection.start();
  await waitFor(() => connection.read().up, { what: 'redis' });
  return connection;
}

/** Two processes, as it were, that share the limits of one host, which is the key of them. */
async function replicas(limits: Partial<LlmHostOptions>, more: readonly LlmHostOptions[] = []) {
  const hosts = [entry(`h-${randomUUID()}`, full.url, limits), ...more];
  return [
    bench.client(hosts, { redis: await connect() }),
    bench.client(hosts, { redis: await connect() }),
  ] as const;
}

const ask = async (client: DistributedLlmClient, body: object = CHAT) => {
  const response = await send(client, { body: Buffer.from(JSON.stringify(body)) });
  await response.body.bytes();
  return response;
};
const slow =
  (ms: number): Reply =>
  (...exchange) =>
    void delay(ms).then(() => chat('hello')(...exchange));

describe('a limit of a host', () => {
  const rateLimit = { requestsPerSecond: 0.01, burst: 4, maxWaitMs: 0 };

  it('of requests is one for all processes that share a Redis', async () => {
    const [one, two] = await replicas({ rateLimit });
    for (const client of [one, two, one, two]) expect((await ask(client)).status).toBe(200);
    for (const client of [one, two])
      expect(await errorOf(send(client))).toMatchObject({ code: 'no_host_available', status: 503 });
    expect(full.asked).toBe(4);
  });

  it('of requests is that of each process without one', async () => {
    const hosts = [entry('alone', full.url, { rateLimit })];
    for (const client of [bench.client(hosts), bench.client(hosts)])
      for (let call = 0; call < 4; call += 1) expect((await ask(client)).status).toBe(200);
    expect(full.asked).toBe(8);
  });

  it('of tokens is shared too, and what a call really cost replaces its estimate', async () => {
    const tokens = Math.ceil(JSON.stringify(CHAT).length / 4);
    const [one, two] = await replicas({ tokenLimit: { tokensPerMinute: 2 * tokens, maxWaitMs: 0 } });
    const first = await ask(one);
    expect((await ask(two)).status).toBe(200);
    expect(await errorOf(send(one))).toMatchObject({ code: 'no_host_available' });
    first.settleTokens?.(0);
    await waitFor(
      () =>
        ask(two).then(
          () => true,
          () => false,
        ),
      { what: 'tokens that came back' },
    );
    expect(full.asked).toBe(3);
  });

  it('that others have used up sends the call to a host that is free, without a wait', async () => {
    const limits = { rateLimit: { ...rateLimit, requestsPerSecond: 0.1, maxWaitMs: 60_000 } };
    const [one, two] = await replicas(limits, [entry('idle', idle.url, { weight: 0.001 })]);
    while (full.asked < 4) await ask(one);
    for (let call = 0; call < 4; call += 1)
      expect(await ask(two)).toMatchObject({ host: 'idle', attempts: 1 });
    expect(full.asked).toBe(4);
  });

  it('is waited for where nobody else is free, which is no fault of the host', async () => {
    const [one, two] = await replicas({ rateLimit: { requestsPerSecond: 4, burst: 1 } });
    const answers = await Promise.all([one, two, one, two].map((client) => ask(client)));
    expect(answers.map(({ status, attempts }) => [status, attempts])).toEqual(Array(4).fill([200, 1]));
    for (const client of [one, two])
      expect(client.getStatus().hosts[0]).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
  });

  it('below the cost of a call sends it elsewhere', async () => {
    const tokenLimit = { tokensPerMinute: 5 };
    const client = bench.client([entry('small', full.url, { tokenLimit }), entry('idle', idle.url)]);
    for (let call = 0; call < 4; call += 1) expect((await ask(client)).host).toBe('idle');
    expect(full.asked).toBe(0);
  });
});

describe('the concurrency of a host', () => {
  const concurrency = { maxConcurrent: 1 };

  it('leaves what is beyond it to another host', async () => {
    full.reply = slow(300);
    const client = bench.client([entry('full', full.url, { concurrency }), entry('idle', idle.url)]);
    const calls: ReturnType<typeof ask>[] = [];
    // Each in a turn of its own, as requests come.
    for (let call = 0; call < 4; call += 1) await nextTurn(void calls.push(ask(client)));
    const answers = await Promise.all(calls);
    expect(answers.map(({ host }) => host).toSorted()).toEqual(['full', 'idle', 'idle', 'idle']);
  });

  it('has a queue whose wait is a metric, and never looks like a slow host', async () => {
    // A clock on which nothing takes time but the host.
    let now = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    full.reply = (...exchange) => {
      now += 150;
      chat('hello')(...exchange);
    };
    const client = bench.client([entry('queued', full.url, { concurrency })], {
      circuitBreaker: { slowCallMs: 450, failureThreshold: 1 },
    });
    await Promise.all([1, 2, 3, 4, 5].map(() => ask(client)));
    clock.mockRestore();
    expect(now).toBe(5 * 150);
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
    const name = 'morgan_concurrency_queue_wait_seconds';
    expect(await bench.metric(`${name}_count{bulkhead="queued"}`)).toBe('4');
    // Most of a second in the queue is none of the host's time to the first content.
    expect(
      Number(await bench.metric('morgan_llm_host_first_content_seconds_sum{host="queued"}')),
    ).toBeLessThan(Number(await bench.metric(`${name}_sum{bulkhead="queued"}`)));
  });

  it('that is left in the queue says nothing of the host', async () => {
    full.reply = slow(50);
    const client = bench.client([entry('queued', full.url, { concurrency })]);
    for (let call = 0; call < 4; call += 1) await ask(client);
    full.reply = slow(1_000);
    const first = ask(client);
    await waitFor(() => full.asked === 5, { what: 'the first call' });
    const left = send(client, {}, { signal: AbortSignal.timeout(600) });
    await expect(left).rejects.toThrow();
    await first;
    expect(await bench.metric('morgan_llm_host_requests_total{host="queued",outcome="impatient"}')).toBe(
      undefined,
    );
  });

  it('holds for a stream that tries the host out, until its end', async () => {
    const client = bench.client(
      [entry('full', full.url, { concurrency: { maxConcurrent: 1, maxQueue: 0 } })],
      {
        circuitBreaker: { failureThreshold: 1, resetTimeoutMs: 1 },
      },
    );
    full.reply = reset;
    await errorOf(send(client));
    await waitFor(() => client.getMetrics()['full']?.circuit.state === 'OPEN', { what: 'the open breaker' });
    let finish: (() => void) | undefined;
    full.reply = (response, ...rest) => {
      events(ROLE_CHUNK + CONTENT_CHUNK, true)(response, ...rest);
      finish = () => response.end(END_CHUNKS);
    };
    const stream = { body: STREAM };
    const trial = await send(client, stream);
    expect(client.getMetrics()['full']).toMatchObject({
      circuit: { state: 'CLOSED' },
      limits: { concurrency: { running: 1 } },
    });
    expect(await errorOf(send(client, stream))).toMatchObject({ code: 'no_host_available' });
    finish?.();
    await trial.body.bytes();
    const freed = () => client.getMetrics()['full']?.limits.concurrency?.running === 0;
    await waitFor(freed, { what: 'the slot' });
  });

  it('adapts: refusals for load make it narrower', async () => {
    const adaptive = { initialLimit: 20, minLimit: 1, maxLimit: 100 };
    const client = bench.client([entry('adaptive', full.url, { concurrency: { adaptive } })], {
      maxRetryAfterWaitMs: 0,
    });
    await Promise.all(Array.from({ length: 15 }, () => ask(client)));
    expect(client.getMetrics()['adaptive']?.limits.concurrency).toMatchObject({ adaptive: { limit: 20 } });
    full.reply = refusal(429, 'slow down');
    expect((await ask(client)).status).toBe(429);
    const limit = () =>
      Number(
        (client.getMetrics()['adaptive']?.limits.concurrency as { adaptive: { limit: number } }).adaptive
          .limit,
      );
    await waitFor(() => limit() < 20, { what: 'a narrower limit' });
  });
});
