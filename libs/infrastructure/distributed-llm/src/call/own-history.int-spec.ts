import { once } from 'node:events';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Deadline } from '@morgan/foundation';
import { STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { ClientBench, entry, errorOf, send } from '../../fixture/client-bench.ts';
import { json, ScriptedHost, silence } from '../../fixture/scripted-host.ts';
import type { DistributedLlmClient } from '../client/distributed-llm.client.ts';
import type { HostRequest } from './host-request.ts';
import { RepeatableUpload } from '../attempt/repeatable-upload.ts';

/** What an answer takes. */
const QUICK_MS = 150;
/** Above twice that, and the shortest silence that is ever taken for an unlikely one. */
const PATIENCE_MS = 400;

const bench = new ClientBench();
let host: ScriptedHost;
let client: DistributedLlmClient;

beforeEach(async () => {
  jest.useFakeTimers(STOPPED_CLOCK);
  host = await ScriptedHost.start((...exchange) => {
    jest.advanceTimersByTime(QUICK_MS);
    json(200, { text: 'hello' })(...exchange);
  });
  client = bench.client([entry('host', host.url)]);
});
afterEach(async () => {
  jest.useRealTimers();
  await bench.close();
  await host.close();
});

const impatient = () => bench.metric('morgan_llm_host_requests_total{host="host",outcome="impatient"}');

async function quickly(request: () => Partial<HostRequest>): Promise<void> {
  for (let count = 0; count < 4; count += 1) await (await send(client, request())).body.bytes();
}

async function leave(request: Partial<HostRequest>): Promise<void> {
  const asked = once(host.server, 'request');
  const left = errorOf(send(client, request, { deadline: Deadline.after(PATIENCE_MS) }));
  await asked;
  await jest.advanceTimersByTimeAsync(PATIENCE_MS);
  expect((await left).code).toBe('deadline_exceeded');
}

describe('the history of a host, by which a silence is unlikely', () => {
  it('is that of the path: tokens are counted at once, and answers take their time', async () => {
    await quickly(() => ({ path: '/../tokenize' }));
    host.reply = silence;
    await leave({});
    expect(await impatient()).toBeUndefined();
    await leave({ path: '/../tokenize' });
    expect(await impatient()).toBe('1');
  });

  it('has a host probed at once that is silent against it', async () => {
    await client.start();
    await quickly(() => ({ path: '/../tokenize' }));
    const { lists } = host;
    host.reply = silence;
    await leave({ path: '/../tokenize' });
    await waitFor(() => host.lists === lists + 1, { what: 'the probe' });
  });

  it('is one for all that a host keeps', async () => {
    let id = 0;
    await quickly(() => ({ path: `/responses/resp_${(id += 1)}/cancel` }));
    host.reply = silence;
    await leave({ path: '/responses/resp_0/cancel' });
    expect(await impatient()).toBe('1');
  });

  it('says nothing of a caller who leaves in mid-upload', async () => {
    const upload = (source: Readable) => ({
      path: '/audio/transcriptions',
      body: undefined,
      upload: new RepeatableUpload(source, undefined, 1_000),
    });
    await quickly(() => upload(Readable.from([Buffer.from('x')])));
    const half = new Readable({ read: () => undefined });
    half.push('x');
    await leave(upload(half));
    expect(await impatient()).toBeUndefined();
    host.reply = silence;
    await leave(upload(Readable.from([Buffer.from('x')])));
    expect(await impatient()).toBe('1');
  });
});
