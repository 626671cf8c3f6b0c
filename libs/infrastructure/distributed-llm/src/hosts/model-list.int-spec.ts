import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, send } from '../../fixture/client-bench.ts';
import { chat, json, models, refusal, type Reply, ScriptedHost, text } from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';

const bench = new ClientBench();
let one: ScriptedHost;
let two: ScriptedHost;

beforeEach(async () => {
  [one, two] = await Promise.all([
    ScriptedHost.start(chat('one'), models('qwen:latest', 'shared')),
    ScriptedHost.start(chat('two'), models('phi', 'shared')),
  ]);
});

afterEach(async () => {
  await bench.close();
  for (const host of [one, two]) await host.close();
});

/** A byte now and then, without an end. */
function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 50);
  response.once('close', () => clearInterval(timer));
}

async function started(): Promise<DistributedLlmClient> {
  const client = bench.client([entry('one', one.url), entry('two', two.url)], { probeTimeoutMs: 5_000 });
  await client.start();
  return client;
}

async function hostsOf(client: DistributedLlmClient, model: string): Promise<string[]> {
  const seen = new Set<string>();
  for (let call = 0; call < 4; call += 1) {
    const response = await send(client, { body: Buffer.from(JSON.stringify({ ...CHAT, model })) });
    await response.body.bytes();
    expect(response.status).toBe(200);
    seen.add(response.host);
  }
  return [...seen].toSorted();
}

describe('the list of models of a host', () => {
  it('names a model with and without `:latest`', async () => {
    const client = await started();
    expect(await hostsOf(client, 'qwen')).toEqual(['one']);
    expect(await hostsOf(client, 'qwen:latest')).toEqual(['one']);
    expect(await hostsOf(client, 'phi:latest')).toEqual(['two']);
    expect(await hostsOf(client, 'shared')).toEqual(['one', 'two']);
    // Another tag is another model: nobody lists it, so everybody may be asked.
    expect(await hostsOf(client, 'qwen:7b')).toEqual(['one', 'two']);
  });

  it('may be the bare list', async () => {
    one.list = json(200, [{ id: 'phi', object: 'model' }, null, { name: 'none' }]);
    const client = await started();
    expect(client.getMetrics()['one']?.models).toEqual(['phi']);
  });

  it('may begin with a byte order mark', async () => {
    one.list = text(200, '\uFEFF{"data":[{"id":"phi"}]}', { 'content-type': 'application/json' });
    const client = await started();
    expect(client.getMetrics()['one']?.models).toEqual(['phi']);
  });

  it.each([
    ['models/gemini', 'gemini'],
    ['Qwen/Big', 'qwen/big'],
    ['openai/*', 'openai/gpt'],
    ['mistral-2411', 'mistral-latest'],
    ['claude-4-20250514', 'claude-4'],
    ['claude-4-20250514', 'claude-4-latest'],
    ['models/gpt-2024-08-06', 'gpt'],
  ])('that has %s names %s', async (id, model) => {
    one.list = json(200, { data: [{ id, aliases: ['mistral-latest'] }] });
    expect(await hostsOf(await started(), model)).toEqual(['one']);
  });

  it('that has a model of a date names none of another', async () => {
    one.list = json(200, { data: [{ id: 'claude-4-20250514' }] });
    expect(await hostsOf(await started(), 'claude-4-20250101')).toEqual(['one', 'two']);
  });

  it('says nothing of what is not on it where it is one page of several', async () => {
    one.list = json(200, { data: [{ id: 'first' }], has_more: true });
    expect(await hostsOf(await started(), 'phi')).toEqual(['one', 'two']);
  });

  it('that hangs or drips takes no host down whose own probe is good', async () => {
    const listed =
      (reply: (response: ServerResponse) => void): Reply =>
      (response, request) => {
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        if (request.url?.endsWith('/health')) response.end('{}');
        else reply(response);
      };
    [one.list, two.list] = [listed(() => undefined), listed(drip)];
    // Its monitor waits for a check for a second more than that, and for a list nobody waits so long.
    const probe = { path: '/health', expectedStatus: [200], timeoutMs: 500 };
    const hosts = [entry('one', one.url, { probe }), entry('two', two.url, { probe })];
    const client = bench.client(hosts, { probeTimeoutMs: 1_700 });
    await client.start();
    for (const name of ['one', 'two'])
      expect(client.getMetrics()[name]?.health).toMatchObject({ state: 'HEALTHY', checks: { failed: 0 } });
  });

  it('is kept where its host is asked too often', async () => {
    const client = await started();
    one.list = refusal(429, 'Slow down.');
    await client.healthCheckAll();
    expect(one.lists).toBe(2);
    expect(client.getMetrics()['one']?.models).toEqual(['qwen:latest', 'shared']);
  });

  it('counts for nothing where a route names the host', async () => {
    const tiers = [[{ host: 'one', model: 'my-deployment' }, { host: 'two' }]];
    const routes = [{ model: 'phi', tiers }];
    const client = bench.client([entry('one', one.url), entry('two', two.url)], { routes });
    await client.start();
    expect(await hostsOf(client, 'phi')).toEqual(['one', 'two']);
  });

  it('may come compressed, though nobody asked for that', async () => {
    const list = gzipSync('{"data":[{"id":"phi"}]}');
    one.list = (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(list);
    const client = await started();
    expect(client.getMetrics()['one']?.models).toEqual(['phi']);
  });

  it('is kept in part where it has hundreds of thousands, and says nothing of others then', async () => {
    one.list = json(200, { data: Array.from({ length: 200_000 }, (_, index) => ({ id: `m${index}` })) });
    const client = await started();
    expect(client.getMetrics()['one']?.models).toHaveLength(10_000);
    expect(await hostsOf(client, 'other')).toEqual(['one']);
  });

  it('is read again at once when its host does not know a model that it lists', async () => {
    const client = await started();
    expect(one.lists).toBe(1);
    one.list = models('qwen:latest');
    one.reply = refusal(404, 'The model `shared` does not exist.', { code: 'model_not_found' });
    expect(await hostsOf(client, 'shared')).toEqual(['two']);
    await waitFor(() => one.lists === 2, { what: 'the list to be read again' });
    await waitFor(() => client.getMetrics()['one']?.models.join() === 'qwen:latest', {
      what: 'the new list',
    });
    expect([one.asked, one.lists, two.lists]).toEqual([1, 2, 1]);
  });

  it('is not read again for a model that it never had', async () => {
    const client = await started();
    one.reply = two.reply = refusal(404, 'The model `none` does not exist.', { code: 'model_not_found' });
    const response = await send(client, { body: Buffer.from(JSON.stringify({ ...CHAT, model: 'none' })) });
    await response.body.bytes();
    expect(response.status).toBe(404);
    two.list = one.list = models('none');
    await client.healthCheckAll();
    expect([one.lists, two.lists]).toEqual([2, 2]);
  });
});
