import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, send } from '../../fixture/client-bench.ts';
import {
  chat,
  CONTENT_CHUNK,
  END_CHUNKS,
  events,
  refusal,
  ROLE_CHUNK,
  ScriptedHost,
} from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';
import type { LlmHostOptions } from '../hosts/host-list.ts';

const STREAM = Buffer.from(JSON.stringify({ ...CHAT, stream: true }));
const OPEN = events(ROLE_CHUNK + CONTENT_CHUNK, true);

let bench: ClientBench;
let above: ScriptedHost;
let below: ScriptedHost;

beforeEach(async () => {
  bench = new ClientBench();
  above = await ScriptedHost.start();
  below = await ScriptedHost.start();
});
afterEach(async () => {
  await bench.close();
  await above[Symbol.asyncDispose]();
  await below[Symbol.asyncDispose]();
});

/** One host with limits, and another in the tier below it. */
function tiered(limits: Partial<LlmHostOptions>, settings: object = {}): DistributedLlmClient {
  const routes = [{ model: CHAT.model, tiers: [[{ host: 'above' }], [{ host: 'below' }]] }];
  return bench.client([entry('above', above.url, limits), entry('below', below.url)], {
    routes,
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
});
