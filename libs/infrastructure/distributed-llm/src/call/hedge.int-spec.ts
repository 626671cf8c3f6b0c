import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type CallContext, Deadline } from '@morgan/foundation';
import { STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { ClientBench, entry, send, STREAM } from '../../fixture/client-bench.ts';
import {
  chat,
  CONTENT_CHUNK,
  END_CHUNKS,
  events,
  refusal,
  type Reply,
  ROLE_CHUNK,
  ScriptedHost,
  silence,
} from '../../fixture/scripted-host.ts';

const concurrency = { maxConcurrent: 8 };

const bench = new ClientBench();
let first: ScriptedHost;
let second: ScriptedHost;

beforeEach(async () => {
  first = await ScriptedHost.start();
  second = await ScriptedHost.start();
});
afterEach(async () => {
  jest.useRealTimers();
  await bench.close();
  await first.close();
  await second.close();
});

/** Two hosts of which the first is asked first. */
const clientOf = (settings: object = {}) =>
  bench.client(
    [entry('first', first.url, { weight: 1_000, concurrency }), entry('second', second.url, { concurrency })],
    { firstTokenTimeoutMs: 60, ...settings },
  );

const outcomes = (host: string, outcome: string) =>
  bench.metric(`morgan_llm_host_requests_total{host="${host}",outcome="${outcome}"}`);

describe('the loser of a race for the first token', () => {
  it('that had no time to answer is as good as before', async () => {
    let begin: (() => void) | undefined;
    first.reply = (...exchange) => void (begin = () => chat('hello')(...exchange));
    second.reply = silence;
    const client = clientOf({ firstTokenTimeoutMs: 1_000 });
    jest.useFakeTimers(STOPPED_CLOCK);
    for (let call = 1; call <= 2; call += 1) {
      const response = send(client, { body: STREAM });
      await waitFor(() => first.asked === call, { what: 'the first attempt' });
      jest.advanceTimersByTime(1_000);
      await waitFor(() => second.asked === call, { what: 'the second attempt' });
      begin?.();
      await (await response).body.bytes();
      expect((await response).host).toBe('first');
    }
    expect([await outcomes('second', 'cancelled'), await outcomes('second', 'outrun')]).toEqual([
      '2',
      undefined,
    ]);
    expect(client.getMetrics()['second']).toMatchObject({ failures: 0, circuit: { totals: { failure: 0 } } });
  });

  it.each<[string, Reply]>([
    ['before its headers', silence],
    ['behind its headers', events('', true)],
    ['behind its first event', events(ROLE_CHUNK, true)],
  ])('leaves nothing behind where it is cancelled %s', async (_, reply) => {
    let isClosed = false;
    first.reply = (response, ...exchange) => {
      response.once('close', () => (isClosed = true));
      reply(response, ...exchange);
    };
    const client = clientOf();
    const response = await send(client, { body: STREAM });
    expect([response.host, response.attempts]).toEqual(['second', 2]);
    await response.body.bytes();
    await waitFor(() => isClosed, { what: 'the end at the host' });
    await waitFor(async () => (await outcomes('first', 'outrun')) === '1', { what: 'its outcome' });
    for (const name of ['first', 'second'])
      expect(client.getMetrics()[name]).toMatchObject({
        inFlight: 0,
        limits: { concurrency: { running: 0, waiting: 0 } },
      });
  });

  it('may be both: then the caller hears of it, and nothing is left either', async () => {
    for (const host of [first, second]) host.reply = events(ROLE_CHUNK, true);
    const client = clientOf({ firstByteTimeoutMs: 300 });
    await expect(send(client, { body: STREAM })).rejects.toMatchObject({ code: 'host_timeout' });
    for (const name of ['first', 'second']) {
      expect(await outcomes(name, 'timeout')).toBe('1');
      // Two that hang alike say something of the request.
      expect(client.getMetrics()[name]).toMatchObject({
        inFlight: 0,
        failures: 0,
        limits: { concurrency: { running: 0 } },
      });
    }
  });
});

describe('a second attempt beside the first', () => {
  it('is not made for pictures, each of which is paid for', async () => {
    const PICTURE = 'data: {"type":"image_generation.completed","b64_json":"AAAA"}\n\n';
    first.reply = (...exchange) => void setTimeout(() => events(PICTURE)(...exchange), 400);
    const response = await send(clientOf(), {
      path: '/images/generations',
      body: Buffer.from('{"model":"simulated","prompt":"x","stream":true}'),
    });
    await response.body.bytes();
    expect([response.host, second.asked]).toEqual(['first', 0]);
  });

  it('is no failover', async () => {
    await using third = await ScriptedHost.start();
    first.reply = refusal(500, 'CUDA error');
    second.reply = silence;
    const hosts = [
      entry('first', first.url, { weight: 1_000 }),
      entry('second', second.url, { weight: 100 }),
      entry('third', third.url),
    ];
    const response = await send(bench.client(hosts, { firstTokenTimeoutMs: 600 }), { body: STREAM });
    await response.body.bytes();
    expect([response.host, response.attempts]).toEqual(['third', 3]);
    expect(await bench.metric('morgan_llm_failovers_total{reason="server_error"}')).toBe('1');
  });
});

/** What a host does, and how the call ends. */
const PHASES: readonly (readonly [string, Reply])[] = [
  ['silence', silence],
  ['headers alone', events('', true)],
  ['a role', events(ROLE_CHUNK, true)],
  ['a text without an end', events(ROLE_CHUNK + CONTENT_CHUNK, true)],
  ['a text that is cut', events(ROLE_CHUNK + CONTENT_CHUNK)],
  [
    'half a JSON',
    (response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
  ],
  ['a refusal without an end', (response) => void response.writeHead(503).flushHeaders()],
  ['a whole answer', events(ROLE_CHUNK + CONTENT_CHUNK + END_CHUNKS)],
];

describe('the only slot of a host', () => {
  /** One call that ends so, and then a good one, which needs the slot. */
  async function isFreeAfter(reply: Reply, name: string, context: Partial<CallContext>): Promise<unknown> {
    await using host = await ScriptedHost.start(reply);
    const client = bench.client([entry(name, host.url, { concurrency: { maxConcurrent: 1 } })], {
      firstByteTimeoutMs: 120,
      answerTimeoutMs: 20_000,
      idleTimeoutMs: 20_000,
      streams: { stallTimeoutMs: 120 },
      maxRetryAfterWaitMs: 0,
      budget: { minPerSecond: 0 },
    });
    await send(client, { body: STREAM }, context)
      .then(({ body }) => body.bytes())
      .catch(() => undefined);
    host.reply = chat('hello');
    const response = await send(client);
    await response.body.bytes();
    const figures = client.getMetrics()[name];
    const slots = figures?.limits.concurrency;
    const gauge = await bench.metric(`morgan_llm_host_in_flight{host="${name}"}`);
    const { status } = response;
    return { status, inFlight: figures?.inFlight, running: slots?.running, waiting: slots?.waiting, gauge };
  }

  it.each<[string, () => Partial<CallContext>]>([
    ['its caller leaves', () => ({ signal: AbortSignal.timeout(100) })],
    ['its deadline comes', () => ({ deadline: Deadline.after(100) })],
    ['its limits do', () => ({})],
  ])('is free again after every phase of a call in which %s', async (_, context) => {
    const found = PHASES.map(async ([phase, reply], at) => [
      phase,
      await isFreeAfter(reply, `h${at}`, context()),
    ]);
    const free = { status: 200, inFlight: 0, running: 0, waiting: 0, gauge: '0' };
    expect(await Promise.all(found)).toEqual(PHASES.map(([phase]) => [phase, free]));
  });
});
