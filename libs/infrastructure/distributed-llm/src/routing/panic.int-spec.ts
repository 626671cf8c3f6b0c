import { afterEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, errorOf, send, STREAM } from '../../fixture/client-bench.ts';
import {
  chat,
  CONTENT_CHUNK,
  events,
  refusal,
  reset,
  ROLE_CHUNK,
  ScriptedHost,
  silence,
} from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';

const bench = new ClientBench();
const hosts: ScriptedHost[] = [];

afterEach(async () => {
  await bench.close();
  for (const host of hosts.splice(0)) await host.close();
});

let content = 0;
async function succeeds(client: DistributedLlmClient): Promise<boolean> {
  content += 1;
  const messages = [{ role: 'user', content: String(content) }];
  const body = Buffer.from(JSON.stringify({ ...CHAT, messages }));
  try {
    const response = await send(client, { body });
    await response.body.bytes();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** How many calls it takes until one succeeds. */
async function callsUntilSuccess(client: DistributedLlmClient): Promise<number> {
  let calls = 1;
  while (!(await succeeds(client))) calls += 1;
  return calls;
}

/** All hosts down for 30 calls; then one of them comes back; then all. */
async function outage(count: number) {
  for (let index = 0; index < count; index += 1) hosts.push(await ScriptedHost.start(reset));
  const list = hosts.map(({ url }, index) => entry(`h${index}`, url));
  const client = bench.client(list, { budget: { minPerSecond: 1_000 } });
  const askedBefore = () => hosts.reduce((sum, { asked }) => sum + asked, 0);
  let unasked = 0;
  for (let call = 0; call < 30; call += 1) {
    const before = askedBefore();
    await succeeds(client);
    if (askedBefore() === before) unasked += 1;
  }
  (hosts[0] as ScriptedHost).reply = chat('back');
  const untilOne = await callsUntilSuccess(client);
  for (const host of hosts) host.reply = chat('back');
  const untilAll = await callsUntilSuccess(client);
  return { hosts: count, unasked, untilOne, untilAll };
}

describe('an outage of every host', () => {
  // Of 30 calls none is refused without an attempt. A call ends after three hosts that fail alike, so with more of them
  // it may take a few calls until the only one that is back is found; where all are back it takes one.
  it.each([
    { hosts: 1, unasked: 0, untilOne: 1, untilAll: 1 },
    { hosts: 2, unasked: 0, untilOne: 1, untilAll: 1 },
    { hosts: 3, unasked: 0, untilOne: 1, untilAll: 1 },
    { hosts: 10, unasked: 0, untilOne: 4, untilAll: 1 },
  ])('of $hosts: $unasked calls unasked, over within $untilOne calls where one is back', async (most) => {
    const seen = await outage(most.hosts);
    expect(seen).toMatchObject({ unasked: most.unasked, untilAll: most.untilAll });
    expect(seen.untilOne).toBeLessThanOrEqual(most.untilOne);
  });
});

describe('the end of a panic', () => {
  it('is the first content of a stream, not its end: further calls find room', async () => {
    const host = await ScriptedHost.start(reset);
    hosts.push(host);
    const client = bench.client([entry('only', host.url)], {
      circuitBreaker: { failureThreshold: 1 },
      panic: { concurrency: 1 },
    });
    expect(await succeeds(client)).toBe(false);
    expect(client.getMetrics()['only']?.circuit.state).toBe('OPEN');
    host.reply = events(ROLE_CHUNK + CONTENT_CHUNK, true);
    const body = STREAM;
    const streams = [
      await send(client, { body }),
      await send(client, { body }),
      await send(client, { body }),
    ];
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(client.getMetrics()['only']).toMatchObject({ inFlight: 3, circuit: { state: 'CLOSED' } });
    for (const stream of streams) stream.body.destroy();
  });
});

describe('a refusal for load without a time', () => {
  it.each([
    ['429', refusal(429, 'Slow down.')],
    ['529', refusal(529, 'Overloaded', { type: 'overloaded_error' })],
  ])(
    'of status %s is no panic: the sole host is asked by all who come, as it refused one call',
    async (_, reply) => {
      const host = await ScriptedHost.start(reply);
      hosts.push(host);
      const client = bench.client([entry('only', host.url)], { panic: { concurrency: 2 } });
      expect(await succeeds(client)).toBe(false);
      const waiting: (() => void)[] = [];
      host.reply = (...exchange) => void waiting.push(() => chat('hello')(...exchange));
      const calls = Array.from({ length: 8 }, () => succeeds(client));
      await waitFor(() => waiting.length === 8, { what: 'all of them at the host' });
      for (const answer of waiting) answer();
      expect(await Promise.all(calls)).toEqual(Array(8).fill(true));
    },
  );

  it('sends calls to whoever has not refused any', async () => {
    for (let index = 0; index < 2; index += 1) hosts.push(await ScriptedHost.start());
    const [full, good] = hosts as [ScriptedHost, ScriptedHost];
    full.reply = refusal(429, 'Slow down.');
    const tiers = [[{ host: 'full' }], [{ host: 'good' }]];
    const client = bench.client([entry('full', full.url), entry('good', good.url)], {
      routes: [{ model: CHAT.model, tiers }],
    });
    for (let call = 0; call < 4; call += 1) expect(await succeeds(client)).toBe(true);
    expect([full.asked, good.asked]).toEqual([1, 4]);
  });
});

describe('a panic', () => {
  it('never refuses all: the sole host is asked while its circuit is open, and the first success closes it', async () => {
    await using only = await ScriptedHost.start(refusal(500, 'down'));
    const client = bench.client([entry('only', only.url)]);
    for (let call = 0; call < 6; call += 1) await succeeds(client);
    expect(client.getStatus().hosts[0]).toMatchObject({ circuit: { state: 'OPEN' } });
    only.reply = chat('hello');
    for (let call = 0; call < 5; call += 1) expect(await succeeds(client)).toBe(true);
    expect(client.getStatus().hosts[0]).toMatchObject({ circuit: { state: 'CLOSED' } });
  });

  it('is bounded', async () => {
    await using only = await ScriptedHost.start(refusal(500, 'down'));
    const client = bench.client([entry('only', only.url)], { panic: { concurrency: 2 } });
    for (let call = 0; call < 6; call += 1) await succeeds(client);
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
