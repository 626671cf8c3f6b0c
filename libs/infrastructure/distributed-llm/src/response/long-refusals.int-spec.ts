import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientBench, entry, send } from '../../fixture/client-bench.ts';
import { chat, refusal, ScriptedHost } from '../../fixture/scripted-host.ts';

const bench = new ClientBench();
afterEach(() => bench.close());

describe('a refusal that quotes the request', () => {
  it('reaches the caller whole, and is kept for others in short, with its status and its time', async () => {
    const message = `Rate limit reached. You sent: ${'x'.repeat(50_000)}`;
    await using host = await ScriptedHost.start(refusal(429, message, { headers: { 'retry-after': '20' } }));
    const client = bench.client([entry('a', host.url)], { maxRetryAfterWaitMs: 0 });
    const [first, second] = [await send(client), await send(client)];
    const [whole, kept] = [await first.body.bytes(), await second.body.bytes()];
    expect(host.asked).toBe(1);
    expect([first.status, second.status]).toEqual([429, 429]);
    expect(whole.length).toBeGreaterThan(50_000);
    expect(kept.length).toBeLessThan(4_000);
    expect(kept.toString()).toContain('Rate limit reached. You sent: xxx');
    expect(Number(second.headers[second.headers.indexOf('retry-after') + 1])).toBeGreaterThan(15);
  });
});

describe("a host's own id of a request", () => {
  it('is none where it is too long for a log line', async () => {
    await using host = await ScriptedHost.start((response, request, body) => {
      response.setHeader('x-request-id', 'x'.repeat(host.asked === 1 ? 256 : 8_000));
      chat('hello')(response, request, body);
    });
    const client = bench.client([entry('a', host.url)]);
    expect((await send(client)).upstreamRequestId).toHaveLength(256);
    expect((await send(client)).upstreamRequestId).toBeUndefined();
  });
});
