import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, errorOf, send, STREAM } from '../../fixture/client-bench.ts';
import {
  CONTENT_CHUNK,
  END_CHUNKS,
  events,
  type Reply,
  ROLE_CHUNK,
  ScriptedHost,
} from '../../fixture/scripted-host.ts';
import { LIMIT_HEADERS } from './call-limits.ts';

/** No test waits for it. */
const LONG = 60_000;

let bench: ClientBench;
beforeEach(() => {
  bench = new ClientBench();
});
afterEach(() => bench.close());

/** A client of one host, with what its only route says. */
function clientOf(url: string, route: object, settings: object = {}) {
  const all = { model: CHAT.model, tiers: [[{ host: 'host' }]], ...route };
  return bench.client([entry('host', url)], { routes: [all], budget: { minPerSecond: 0 }, ...settings });
}

const outcome = (name: string) =>
  bench.metric(`morgan_llm_host_requests_total{host="host",outcome="${name}"}`);

/** How the body of a streamed answer breaks. */
async function breakOf(reply: Reply, route: object, headers: Record<string, string> = {}) {
  await using host = await ScriptedHost.start(reply);
  const client = clientOf(host.url, route, { firstByteTimeoutMs: LONG, idleTimeoutMs: LONG });
  const error = await errorOf(
    send(client, { body: STREAM, headers }).then((response) => response.body.bytes()),
  );
  return { code: error.code, message: error.message, outcome };
}

const silentInText = events(ROLE_CHUNK + CONTENT_CHUNK, true);
const silentBefore = events(ROLE_CHUNK, true);

describe('a limit of a route, which a caller can shorten and not lengthen', () => {
  const limited = (limit: string, route?: number, said?: number | string) => ({
    route: route === undefined ? {} : { [limit]: route },
    said: said === undefined ? undefined : String(said),
  });

  it.each([
    ['the route', limited('stallTimeoutMs', 150), 150],
    ['the caller', limited('stallTimeoutMs', LONG, 150), 150],
    ['the caller, with a decimal', limited('stallTimeoutMs', 1000, '150.0'), 150],
    ['the route, where the caller says more', limited('stallTimeoutMs', 150, LONG), 150],
    ['the route, where the caller says no number', { ...limited('stallTimeoutMs', 150), said: '1e9' }, 150],
  ])('ends silence between two events: %s', async (_, { route, said }, ms) => {
    const error = await breakOf(silentInText, route, said ? { [LIMIT_HEADERS.stall]: said } : {});
    expect(error).toMatchObject({
      code: 'stream_interrupted',
      message: expect.stringContaining(`the limit of ${ms} ms`),
    });
    expect(await outcome('interrupted')).toBe('1');
  });

  it.each([
    ['the route', limited('firstByteTimeoutMs', 150)],
    ['the caller', limited('firstByteTimeoutMs', LONG, 150)],
    ['the route, where the caller says more', limited('firstByteTimeoutMs', 150, LONG)],
  ])('ends the wait for the first content: %s', async (_, { route, said }) => {
    const headers = said ? { [LIMIT_HEADERS.firstContent]: said } : undefined;
    expect((await breakOf(silentBefore, route, headers)).code).toBe('host_timeout');
    expect(await outcome('timeout')).toBe('1');
  });

  it.each([
    ['the route', limited('connectTimeoutMs', 150)],
    ['the caller', limited('connectTimeoutMs', undefined, 150)],
    ['the route, where the caller says more', limited('connectTimeoutMs', 150, LONG)],
  ])('ends the wait for a connection: %s', async (_, { route, said }) => {
    // A connection over TLS is made when the other side has said hello, and this one never does.
    await using server = await listen(createServer((socket) => socket.resume()));
    await bench.close();
    bench = new ClientBench({ connectTimeoutMs: LONG });
    const url = `https://127.0.0.1:${server.port}/v1`;
    const settings = { connectTimeoutMs: LONG, firstByteTimeoutMs: LONG };
    const client = clientOf(url, route, settings);
    const headers = said ? { [LIMIT_HEADERS.connect]: said } : {};
    expect((await errorOf(send(client, { headers }))).code).toBe('no_host_available');
    expect(await outcome('connect_error')).toBe('1');
    expect(client.getStatus().hosts[0]?.failures).toBe(said === '150' ? 0 : 1);
    await bench.close();
  });

  it('ends the whole call, which says nothing of the host', async () => {
    const error = await breakOf(silentInText, { totalTimeoutMs: 150 });
    expect(error.code).toBe('deadline_exceeded');
    expect([await outcome('expired'), await outcome('interrupted')]).toEqual(['1', undefined]);
  });
});

describe('a limit that only the caller set', () => {
  const all = (url: string) => bench.client([entry('host', url)], { firstByteTimeoutMs: LONG });

  it.each<[string, Reply, string]>([
    ['first content', silentBefore, LIMIT_HEADERS.firstContent],
    ['silence in the text', silentInText, LIMIT_HEADERS.stall],
  ])('for %s takes no host out, however many callers reach it', async (_, reply, header) => {
    await using host = await ScriptedHost.start(reply);
    const client = all(host.url);
    const fail = () =>
      errorOf(send(client, { body: STREAM, headers: { [header]: '50' } }).then(({ body }) => body.bytes()));
    await Promise.all(Array.from({ length: 12 }, fail));
    expect(client.getStatus()).toMatchObject({
      poisonousRequests: 0,
      hosts: [{ failures: 0, circuit: { state: 'CLOSED' }, health: { live: { failed: 0 } } }],
    });
    host.reply = events(ROLE_CHUNK + CONTENT_CHUNK + END_CHUNKS);
    const good = await send(client, { body: STREAM });
    await good.body.bytes();
    expect(good).toMatchObject({ status: 200, attempts: 1 });
  });

  it('is no evidence about the request either, though several hosts were too slow for it', async () => {
    await using host = await ScriptedHost.start(silentBefore);
    await using other = await ScriptedHost.start(silentBefore);
    const client = bench.client([entry('host', host.url), entry('other', other.url)]);
    const headers = { [LIMIT_HEADERS.firstContent]: '50' };
    await errorOf(send(client, { body: STREAM, headers }));
    expect([host.asked, other.asked]).toEqual([1, 1]);
    expect(client.getStatus()).toMatchObject({ poisonousRequests: 0, hosts: [{ failures: 0 }, {}] });
  });

  it('is half a fault where the host used to be that much quicker', async () => {
    await using host = await ScriptedHost.start(events(ROLE_CHUNK + CONTENT_CHUNK + END_CHUNKS));
    const client = all(host.url);
    for (let count = 0; count < 5; count += 1)
      await send(client, { body: STREAM }).then(({ body }) => body.bytes());
    host.reply = silentBefore;
    const headers = { [LIMIT_HEADERS.firstContent]: '600' };
    await Promise.all(Array.from({ length: 10 }, () => errorOf(send(client, { body: STREAM, headers }))));
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 5, circuit: { state: 'OPEN' } });
  });
});

describe('how a stream ends is evidence about its host', () => {
  const cut: Reply = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(ROLE_CHUNK + CONTENT_CHUNK, () => response.destroy());
  };
  const readTo = async (reply: Reply, route: object) => {
    await using host = await ScriptedHost.start(reply);
    const client = clientOf(host.url, route);
    const read = send(client, { body: STREAM }).then(({ body }) => body.bytes());
    const text = await read.then(String, (error: { code: string }) => error.code);
    return { text, host: client.getStatus().hosts[0] };
  };

  it.each<[string, Reply]>([
    ['is cut', cut],
    ['ends before its answer does', events(ROLE_CHUNK + CONTENT_CHUNK)],
    ['reports an error', events(`${ROLE_CHUNK}${CONTENT_CHUNK}data: {"error":{"message":"CUDA"}}\n\n`)],
  ])('which failed where it %s', async (_, reply) => {
    const { text, host } = await readTo(reply, {});
    expect(text).toBe('stream_interrupted');
    expect(host).toMatchObject({ inFlight: 0 });
    expect([await outcome('interrupted'), await outcome('ok')]).toEqual(['1', undefined]);
  });

  it('which did well where a route accepts an answer without its end', async () => {
    const { text } = await readTo(events(ROLE_CHUNK + CONTENT_CHUNK), { acceptUnfinished: true });
    expect(text).toBe(ROLE_CHUNK + CONTENT_CHUNK);
    expect(await outcome('ok')).toBe('1');
  });

  it('which did well where all is said and the connection stays', async () => {
    const { text } = await readTo(events(ROLE_CHUNK + CONTENT_CHUNK + END_CHUNKS, true), {});
    expect(text).toBe(ROLE_CHUNK + CONTENT_CHUNK + END_CHUNKS);
    expect(await outcome('ok')).toBe('1');
  });
});

describe('the bytes of a stream', () => {
  it('are held back at the host while nobody reads them', async () => {
    const event = CONTENT_CHUNK.replace('hello', 'x'.repeat(50_000));
    let left = 600;
    await using host = await ScriptedHost.start((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const write = () => {
        while (left > 0) if (((left -= 1), !response.write(event))) return;
        response.end(END_CHUNKS);
      };
      response.on('drain', write);
      write();
    });
    const { body } = await send(clientOf(host.url, {}), { body: STREAM });
    await once(body, 'readable');
    let [before, unchanged] = [left, 0];
    const isSteady = () => {
      unchanged = left === before ? unchanged + 1 : 0;
      before = left;
      return unchanged > 30;
    };
    await waitFor(isSteady, { what: 'the host to be held back' });
    expect(left).toBeGreaterThan(300);
    expect((await body.bytes()).length).toBe(event.length * 600 + END_CHUNKS.length);
  });
});
