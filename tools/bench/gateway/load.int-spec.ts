import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Gateway, startHost } from './gateways.ts';
import { jsonAloneMs, jsonPerSecond } from './json-load.ts';
import { streamsOf } from './stream-load.ts';
import { chatRequest, WireConnection } from './wire-connection.ts';

let host: Gateway;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => host[Symbol.dispose]());

describe('the load of the gateway bench', () => {
  it('calls without streaming, at once and alone', async () => {
    expect(await jsonPerSecond(host, 4, 50)).toBeGreaterThan(0);
    expect(await jsonAloneMs(host, 50)).toBeGreaterThan(0);
  });

  it('knows when each event of a paced stream left and came', async () => {
    const load = { callers: 3, streamsEach: 2, events: 5, eventsPerSecond: 100, beginMs: 10 };
    const figures = await streamsOf(host, load);
    expect(figures.firstTokenMs).toBeGreaterThan(0);
    expect(figures.delayP99Ms).toBeGreaterThan(0);
    expect(figures.longestDelayMs).toBeGreaterThanOrEqual(figures.delayP99Ms);
    expect(figures.eventsPerSecond).toBeLessThan(3 * 2 * 5 * 100);
  });

  it('waits for the first event as for all others, unless it is to be had at once', async () => {
    const load = { callers: 1, streamsEach: 1, events: 2, eventsPerSecond: 5, beginMs: 0 };
    const paced = await streamsOf(host, load);
    expect(paced.firstTokenMs).toBeGreaterThan(195);
    const prompt = await streamsOf(host, { ...load, isFirstAtOnce: true });
    expect(prompt.firstTokenMs).toBeLessThan(paced.firstTokenMs);
  });

  it('takes every event of a saturated stream', async () => {
    const connection = await WireConnection.to(host);
    let text = '';
    await connection.send(chatRequest(host, '4096 events, 0 a second', true), (data) => {
      text += data.toString();
    });
    connection.close();
    expect(text.match(/" word"/g)).toHaveLength(4_096);
    expect(text).toContain('data: [DONE]');
  });

  it('fails where an answer is none, or breaks', async () => {
    const elsewhere = await WireConnection.to(host);
    await expect(elsewhere.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).rejects.toThrow('400');
    const left = await WireConnection.to(host);
    const answer = left.send(chatRequest(host, '10 events, 1 a second', true), () => left.close());
    await expect(answer).rejects.toThrow('the connection closed before');
  });
});
