import { afterEach, describe, expect, it } from '@jest/globals';
import { CHAT, ClientBench, entry, send } from '../../fixture/client-bench.ts';
import { chat, json, refusal, type Reply, ScriptedHost } from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';

/** More than are let through to a host that is only better than none. */
const MANY = 30;

const bench = new ClientBench();
afterEach(() => bench.close());

const ask = async (client: DistributedLlmClient, request: Parameters<typeof send>[1] = {}) => {
  const response = await send(client, request);
  await response.body.bytes();
  return response.status;
};
const of = (model: string) => ({ body: Buffer.from(JSON.stringify({ ...CHAT, model })) });
const many = async (work: () => Promise<number>) =>
  new Set(await Promise.all(Array.from({ length: MANY }, work)));
const retryAfter = (seconds: number) => ({ headers: { 'retry-after': String(seconds) } });

describe('what the sole host refuses of one model', () => {
  it.each<[string, Reply, number]>([
    ['no money', refusal(402, 'Insufficient credits.'), 402],
    ['no room', refusal(529, 'Overloaded', retryAfter(20)), 529],
    ['a model that loads', refusal(503, 'Loading model'), 503],
    ['a model that loads for so long', refusal(503, 'Loading model', retryAfter(20)), 503],
    ['a limit', refusal(429, 'Slow down.', retryAfter(20)), 429],
  ])('because of %s says nothing of the others', async (_, refuses, status) => {
    await using host = await ScriptedHost.start((response, request, body) => {
      const reply = body.includes('"refused"') ? refuses : chat('hello');
      reply(response, request, body);
    });
    const client = bench.client([entry('only', host.url)]);
    expect(await ask(client, of('refused'))).toBe(status);
    expect(await many(() => ask(client, of('another')))).toEqual(new Set([200]));
    expect(await ask(client, of('refused'))).toBe(status);
  });
});

describe('a key that the sole host takes for some paths', () => {
  it('is good for those, whatever it refuses', async () => {
    await using host = await ScriptedHost.start((response, request, body) => {
      const isChat = request.url?.endsWith('/chat/completions');
      const reply = isChat ? chat('hello') : refusal(401, 'Missing scopes: api.model.audio.request');
      reply(response, request, body);
    });
    const client = bench.client([entry('only', host.url)]);
    await ask(client, { path: '/audio/speech' }).catch(() => undefined);
    expect(await many(() => ask(client))).toEqual(new Set([200]));
    await ask(client, { path: '/audio/speech' }).catch(() => undefined);
    const said = bench.log.filter(({ level }) => level === 'error');
    expect(said).toEqual([expect.objectContaining({ host: 'only', of: 'path /audio/speech' })]);
  });
});

describe('a limit of counting tokens', () => {
  it.each([
    ['/messages/count_tokens', '/messages'],
    ['/messages', '/messages/count_tokens'],
  ])('is not one with that of answers: %s is at its limit', async (limited, free) => {
    await using host = await ScriptedHost.start((response, request, body) => {
      const good = json(200, {
        type: 'message',
        content: [{ type: 'text', text: 'hello' }],
        input_tokens: 3,
      });
      const reply = request.url?.endsWith(limited) ? refusal(429, 'Slow down.', retryAfter(20)) : good;
      reply(response, request, body);
    });
    const client = bench.client([entry('only', host.url)]);
    expect(await ask(client, { path: limited })).toBe(429);
    expect(await many(() => ask(client, { path: free }))).toEqual(new Set([200]));
    expect(await ask(client, { path: limited })).toBe(429);
    expect(host.asked).toBe(1 + MANY);
  });
});

describe('a host that asks that nobody asks it again', () => {
  it.each([
    ['false', 1],
    ['true', 2],
  ])('with x-should-retry: %s is asked %i times', async (value, times) => {
    const headers = { 'x-should-retry': value };
    await using host = await ScriptedHost.start(refusal(500, 'It broke.', { headers }));
    const client = bench.client([entry('only', host.url)]);
    expect(await ask(client)).toBe(500);
    expect(host.asked).toBe(times);
  });
});
