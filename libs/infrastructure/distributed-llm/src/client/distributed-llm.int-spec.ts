import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Fault } from '@morgan/fake-llm-host';
import type { HttpTransport } from '@morgan/http-transport';
import { waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, errorOf, KEYS, send } from '../../fixture/client-bench.ts';
import { TestHosts } from '../../fixture/test-hosts.ts';

const DEAD_URL = 'http://127.0.0.1:9/v1';

describe('DistributedLlmClient', () => {
  let bench: ClientBench;
  let transport: HttpTransport;
  let log: ClientBench['log'];
  const hosts = new TestHosts();

  beforeEach(() => {
    bench = new ClientBench();
    ({ transport, log } = bench);
  });

  afterEach(async () => {
    const lines = await bench.close();
    await hosts.close();
    for (const secret of [...KEYS, 'the prompt']) expect(lines).not.toContain(secret);
  });

  describe('failover', () => {
    const faults: [string, Fault, string, string, number][] = [
      ['503', { kind: 'status', status: 503 }, 'server_error', 'host_error', 502],
      ['500', { kind: 'status', status: 500 }, 'server_error', 'host_error', 502],
      ['a redirect', { kind: 'status', status: 307 }, 'bad_response', 'host_error', 502],
      ['a reset before the headers', { kind: 'reset-before-headers' }, 'reset', 'host_error', 502],
      ['bytes that are not HTTP', { kind: 'bad-http' }, 'bad_response', 'host_error', 502],
      ['silence', { kind: 'stall-before-headers' }, 'timeout', 'host_timeout', 504],
      ['a closed port', { kind: 'refuse' }, 'connect_error', 'no_host_available', 503],
    ];

    // Short only where it must pass: a busy machine may take its time for an answer.
    const limitFor = (reason: string) => (reason === 'timeout' ? 200 : 2_000);

    it.each(faults)('on %s goes to the next host', async (_, fault, reason) => {
      const [bad, good] = [await hosts.fake({ fault }), await hosts.fake()];
      const client = bench.client([entry('bad', bad.url), entry('good', good.url)], {
        firstByteTimeoutMs: limitFor(reason),
      });
      const start = performance.now();
      const response = await send(client);
      expect(performance.now() - start).toBeLessThan(1_000);
      expect(response).toMatchObject({ host: 'good', status: 200, attempts: 2 });
      expect(JSON.parse((await response.body.bytes()).toString())).toMatchObject({
        object: 'chat.completion',
      });
      expect([bad.requests.length, good.requests.length]).toEqual([fault.kind === 'refuse' ? 0 : 1, 1]);
      const warning = { level: 'warn', requestId: 'call-1', host: 'bad', reason, next: 'good' };
      expect(log).toContainEqual(expect.objectContaining(warning));
      expect(await bench.metric(`morgan_llm_failovers_total{reason="${reason}"}`)).toBe('1');
      expect(await bench.metric(`morgan_llm_host_requests_total{host="bad",outcome="${reason}"}`)).toBe('1');
      expect(await bench.metric('morgan_llm_host_requests_total{host="good",outcome="ok"}')).toBe('1');
      expect(
        Number(await bench.metric('morgan_http_transport_connections_opened_total{pool="good"}')),
      ).toBeGreaterThan(0);
      await waitFor(() => Object.values(transport.getStatus()).every(({ running }) => running === 0), {
        what: 'no connection in use',
      });
    });

    it.each(faults)('with nothing but %s tries each host once', async (_, fault, reason, code, status) => {
      const failing = [await hosts.fake({ fault }), await hosts.fake({ fault })];
      const list = failing.map((host, index) => entry(`h${index}`, host.url));
      const client = bench.client(list, { firstByteTimeoutMs: limitFor(reason) });
      const error = await errorOf(send(client));
      expect([error.code, error.status]).toEqual([code, status]);
      expect(error.message).toMatch(/^2 hosts were tried; the last one, h1, /);
      expect(error.message).not.toContain('127.0.0.1');
      expect(error.cause).toBeInstanceOf(Error);
      expect(client.getStatus().hosts).toMatchObject([
        { requests: 1, failures: 1, inFlight: 0, lastError: reason },
        { requests: 1, failures: 1, inFlight: 0, lastError: reason },
      ]);
    });

    it('answers 503 in the envelope where every host is down, and where there is none', async () => {
      const error = await errorOf(send(bench.client([entry('only', DEAD_URL)])));
      expect([error.status, error.toEnvelope().error]).toEqual([
        503,
        {
          message: '1 host was tried; it, only, could not be reached.',
          type: 'server_error',
          param: null,
          code: 'no_host_available',
        },
      ]);
      expect((await errorOf(send(bench.client([])))).code).toBe('no_host_available');
    });

    it('closes the connection of an answer that it does not want, however long that answer is', async () => {
      let closed = false;
      const endless = await hosts.plain((_, response) => {
        response.on('close', () => (closed = true)).writeHead(500);
        response.write('x'.repeat(1000));
      });
      const good = await hosts.fake();
      await (await send(bench.client([entry('endless', endless), entry('good', good.url)]))).body.bytes();
      await waitFor(() => closed, { what: 'the end of the unwanted answer', timeoutMs: 200 });
      expect(transport.getStatus()[new URL(endless).origin]).toMatchObject({ running: 0, connected: 0 });
    });

    it('is not needed where a host had closed a kept connection', async () => {
      const sockets = new Set();
      const url = await hosts.plain(({ socket }, response) => {
        if (sockets.has(socket)) return socket.destroy();
        sockets.add(socket);
        return response.end('{}');
      });
      const client = bench.client([entry('only', url)]);
      for (let count = 0; count < 2; count += 1) {
        const response = await send(client);
        expect(response).toMatchObject({ host: 'only', status: 200, attempts: 1 });
        await response.body.bytes();
        await waitFor(() => transport.getStatus()[new URL(url).origin]?.free === 1, {
          what: 'a free connection',
        });
      }
      expect(client.getStatus()).toMatchObject({
        hosts: [{ requests: 2, failures: 0 }],
        budget: { granted: { retry: 1, fallback: 0 } },
      });
    });

    it('keeps the connection of a short unwanted answer', async () => {
      const bad = await hosts.fake({ fault: { kind: 'status', status: 503 } });
      const client = bench.client([entry('bad', bad.url)]);
      for (let count = 0; count < 5; count += 1) {
        await errorOf(send(client));
        await waitFor(() => transport.getStatus()[new URL(bad.url).origin]?.free === 1, {
          what: 'a free connection',
        });
      }
      expect(transport.getStatus()[new URL(bad.url).origin]).toMatchObject({ connected: 1, running: 0 });
    });

    it('never happens after the first byte', async () => {
      const [bad, good] = [
        await hosts.fake({ fault: { kind: 'cut-in-stream', afterChunks: 2 } }),
        await hosts.fake(),
      ];
      const client = bench.client([entry('bad', bad.url), entry('good', good.url)]);
      const response = await send(client, { body: Buffer.from(JSON.stringify({ ...CHAT, stream: true })) });
      expect(response).toMatchObject({ host: 'bad', status: 200, attempts: 1 });
      expect(response.contentType).toContain('text/event-stream');
      expect((await errorOf(response.body.bytes())).code).toBe('stream_interrupted');
      expect(good.requests).toHaveLength(0);
      await waitFor(() => client.getStatus().hosts[0]?.inFlight === 0, { what: 'the end of the try' });
      expect(await bench.metric('morgan_llm_host_requests_total{host="bad",outcome="interrupted"}')).toBe(
        '1',
      );
    });
  });

  describe('an answer below 500', () => {
    it.each([400, 404, 409, 422, 429])('with %i comes back as it is', async (status) => {
      const body = '{"error": {"message":"from the host",  "code":null}}';
      const headers = { 'retry-after': '17', 'x-ratelimit-remaining-tokens': '0' };
      const bad = await hosts.fake({ fault: { kind: 'status', status, body, headers } });
      const good = await hosts.fake();
      const client = bench.client([entry('bad', bad.url), entry('good', good.url)]);
      const response = await send(client);
      expect(response).toMatchObject({ host: 'bad', status, attempts: 1 });
      expect(response.headers.join()).toContain('retry-after,17,x-ratelimit-remaining-tokens,0');
      expect((await response.body.bytes()).toString()).toBe(body);
      expect(good.requests).toHaveLength(0);
      const outcome = status === 429 ? 'rate_limited' : 'client_error';
      expect(await bench.metric(`morgan_llm_host_requests_total{host="bad",outcome="${outcome}"}`)).toBe('1');
      // A host that is full may be well or not.
      const state = status === 429 ? 'UNKNOWN' : 'HEALTHY';
      expect(client.getStatus().hosts[0]).toMatchObject({ health: { state }, failures: 0 });
    });

    it.each([401, 403])('with %i means that our own key is wrong', async (status) => {
      const bad = await hosts.fake({ fault: { kind: 'status', status } });
      const good = await hosts.fake();
      const list = [entry('bad', bad.url, { apiKey: KEYS[0] }), entry('good', good.url)];
      const error = await errorOf(send(bench.client(list)));
      expect([error.code, error.status, error.message]).toEqual([
        'host_rejected_credentials',
        502,
        "The host bad refused the gateway's credentials.",
      ]);
      expect(good.requests).toHaveLength(0);
      expect(log).toContainEqual(
        expect.objectContaining({ level: 'error', host: 'bad', status, requestId: 'call-1' }),
      );
    });
  });

  describe('what passes through', () => {
    const odd = Buffer.from(
      '{ "model" :"simulated",\t"n":1.0,"big":12345678901234567890, "e":1e-7,\n"s":"\\u00e9\\ud83d\\ude00/é","dup":1,"dup":2, "unknown":{"b":1,"a":[ ]} }\r\n',
    );

    it('is byte for byte the same both ways', async () => {
      const received: Buffer[] = [];
      const answer = Buffer.concat([odd, Buffer.from([0, 255, 10])]);
      const url = await hosts.plain((request, response) => {
        request.on('data', (chunk: Buffer) => received.push(chunk));
        request.on('end', () => response.writeHead(200, { 'Content-Type': 'x/y' }).end(answer));
      });
      const response = await send(bench.client([entry('echo', url)]), { body: odd });
      expect((await response.body.bytes()).equals(answer)).toBe(true);
      expect(Buffer.concat(received).equals(odd)).toBe(true);
      expect(response.contentType).toBe('x/y');
    });

    it('carries the host’s key and the call’s id, never the caller’s key', async () => {
      const [keyed, open] = [await hosts.fake({ apiKey: KEYS[0] ?? '' }), await hosts.fake()];
      const client = bench.client([
        entry('keyed', `${keyed.url}/`, { apiKey: KEYS[0] }),
        entry('open', open.url),
      ]);
      expect((await send(client)).status).toBe(200);
      expect((await send(client)).status).toBe(200);
      expect(keyed.requests[0]).toMatchObject({ path: '/v1/chat/completions' });
      expect(keyed.requests[0]?.headers).toMatchObject({
        authorization: `Bearer ${KEYS[0]}`,
        'x-request-id': 'call-1',
        'accept-encoding': 'identity',
        'content-length': String(JSON.stringify(CHAT).length),
      });
      expect(open.requests[0]?.headers).not.toHaveProperty('authorization');
    });
  });

  describe('the order of hosts', () => {
    it('shares the load as the weights say', async () => {
      const [a, b] = [await hosts.fake(), await hosts.fake()];
      const client = bench.client([entry('a', a.url, { weight: 2 }), entry('b', b.url)]);
      const order: string[] = [];
      for (let count = 0; count < 9; count += 1) {
        const response = await send(client);
        await response.body.bytes();
        order.push(response.host);
      }
      expect(order.join('')).toBe('abaabaaba');
      expect([a.requests.length, b.requests.length]).toEqual([6, 3]);
    });

    it('puts a host that lists the model first, and still knows the others', async () => {
      const [small, large] = [
        await hosts.fake({ models: ['small'] }),
        await hosts.fake({ models: ['large'] }),
      ];
      const client = bench.client([entry('small', small.url), entry('large', large.url)]);
      await client.start();
      const ask = (model: string) =>
        send(client, { model, body: Buffer.from(JSON.stringify({ ...CHAT, model })) });
      for (let count = 0; count < 4; count += 1) {
        const response = await ask('large');
        expect(response).toMatchObject({ host: 'large', status: 200, attempts: 1 });
        await response.body.bytes();
      }
      await large.setFault({ kind: 'refuse' });
      expect(await ask('large')).toMatchObject({ host: 'small', status: 404, attempts: 2 });
    });

    it('puts a host that is down last until a call reaches it again', async () => {
      const [a, b] = [await hosts.fake(), await hosts.fake()];
      const client = bench.client([entry('a', a.url), entry('b', b.url)]);
      const call = async () => {
        const response = await send(client);
        await response.body.bytes();
        return `${response.host}${response.attempts}`;
      };
      const stateOfA = () => client.getStatus().hosts[0]?.health?.state;
      await a.setFault({ kind: 'refuse' });
      await client.start();
      expect([await call(), await call(), await call()]).toEqual(['b1', 'b1', 'b1']);
      expect(stateOfA()).toBe('UNHEALTHY');
      await a.setFault(undefined);
      await b.setFault({ kind: 'refuse' });
      await waitFor(() => transport.getStatus()[new URL(b.url).origin]?.connected === 0, {
        what: 'the cut of the kept connections',
      });
      expect(await call()).toBe('a2');
      await waitFor(() => stateOfA() === 'HEALTHY', { what: 'the news of the call' });
    });

    it('gives a host that has come back a small share at first', async () => {
      const [a, b] = [await hosts.fake(), await hosts.fake()];
      const client = bench.client([entry('a', a.url), entry('b', b.url)], { probeIntervalMs: 10 });
      await a.setFault({ kind: 'refuse' });
      await client.start();
      await a.setFault(undefined);
      await waitFor(() => client.getStatus().hosts[0]?.health?.state === 'HEALTHY', { what: 'its return' });
      client.stop();
      for (let count = 0; count < 22; count += 1) await (await send(client)).body.bytes();
      const ofA = a.requests.filter(({ method }) => method === 'POST').length;
      expect([1, 2, 3]).toContain(ofA);
    });
  });

  describe('an abort', () => {
    it.each([
      ['before the headers', { timeToFirstTokenMs: 5_000 }, {}],
      ['in mid-stream', { tokensPerSecond: 5 }, { stream: true }],
    ])('%s reaches the host within 100 ms, and no other host is asked', async (where, pace, extra) => {
      const [slow, other] = [
        await hosts.fake({ ...pace, answer: 'one two three four five six' }),
        await hosts.fake(),
      ];
      const client = bench.client([entry('slow', slow.url), entry('other', other.url)], {
        firstByteTimeoutMs: 10_000,
      });
      const aborter = new AbortController();
      const sent = send(
        client,
        { body: Buffer.from(JSON.stringify({ ...CHAT, ...extra })) },
        { signal: aborter.signal },
      );
      const outcome = errorOf(sent.then(({ body }) => body.bytes()));
      const atHost = await slow.nextRequest();
      if (where === 'in mid-stream') await once((await sent).body, 'readable');
      const abortedAt = performance.now();
      aborter.abort();
      expect((await atHost.whenAborted()) - abortedAt).toBeLessThan(100);
      expect((await outcome).code).toBe('client_closed_request');
      expect(other.requests).toHaveLength(0);
      await waitFor(() => client.getStatus().hosts[0]?.inFlight === 0, { what: 'the end of the try' });
      expect(client.getStatus().hosts[0]).toMatchObject({ requests: 1, failures: 0 });
      expect(await bench.metric('morgan_llm_host_requests_total{host="slow",outcome="aborted"}')).toBe('1');
    });

    it('before the call asks nobody', async () => {
      const host = await hosts.fake();
      const error = await errorOf(
        send(bench.client([entry('a', host.url)]), {}, { signal: AbortSignal.abort() }),
      );
      expect(error.code).toBe('client_closed_request');
      expect(host.requests).toHaveLength(0);
    });
  });

  describe('probes', () => {
    it('tell how the hosts are, and what they serve', async () => {
      const [a, b] = [await hosts.fake({ models: ['x', 'y'] }), await hosts.fake({ models: ['y', 'z'] })];
      const client = bench.client([entry('a', a.url), entry('dead', DEAD_URL), entry('b', b.url)]);
      const details = (...states: string[]) => {
        const [first, dead, last] = states.map((state) => ({ state, circuit: 'CLOSED' }));
        return { a: first, dead, b: last };
      };
      expect(client.read()).toEqual({ up: false, details: details('UNKNOWN', 'UNKNOWN', 'UNKNOWN') });
      await client.start();
      expect(client.read()).toEqual({ up: true, details: details('HEALTHY', 'UNHEALTHY', 'HEALTHY') });
      expect([client.name, client.required]).toEqual(['llm_hosts', true]);
      expect(client.models().map(({ id }) => id)).toEqual(['x', 'y', 'z']);
      const [first, dead] = client.getStatus().hosts;
      expect(first).toMatchObject({ models: ['x', 'y'], requests: 0, circuit: { state: 'CLOSED' } });
      expect(first?.health?.responseTimes?.lastMs).toBeGreaterThan(0);
      expect(dead?.health?.recentChecks[0]).toMatchObject({ verdict: 'failed', reason: 'connect_refused' });
      expect(await bench.metric('morgan_health_state{target="a",state="HEALTHY"}')).toBe('1');
      expect(await bench.metric('morgan_health_state{target="dead",state="UNHEALTHY"}')).toBe('1');
      expect(log.map(({ level, target, message }) => `${level} ${String(target)} ${message}`).sort()).toEqual(
        ['info a target is healthy', 'info b target is healthy', 'warn dead target is down'],
      );
    });

    it('hide the models of a host that is down', async () => {
      const [a, b] = [await hosts.fake({ models: ['x'] }), await hosts.fake({ models: ['y'] })];
      const client = bench.client([entry('a', a.url), entry('b', b.url)], { probeIntervalMs: 10 });
      const models = () => client.models().map(({ id }) => id);
      await client.start();
      expect(models()).toEqual(['x', 'y']);
      await a.setFault({ kind: 'refuse' });
      await waitFor(() => models().join() === 'y', { what: 'the model to be hidden' });
      await a.setFault(undefined);
      await waitFor(() => models().join() === 'x,y', { what: 'the model to be back' });
    });

    it('keep model objects as the host describes them', async () => {
      const model = {
        id: 'm',
        object: 'model',
        created: 1,
        max_model_len: 8192,
        permission: [{ allow: true }],
      };
      const url = await hosts.plain((_, response) =>
        response.end(JSON.stringify({ data: [model, 'no model', {}] })),
      );
      const client = bench.client([entry('a', url)]);
      await client.start();
      expect(client.models()).toEqual([model]);
    });

    it.each([
      [401, 'HEALTHY'],
      [404, 'HEALTHY'],
      [500, 'UNHEALTHY'],
      [503, 'UNHEALTHY'],
    ])('take %i as %s', async (status, state) => {
      const url = await hosts.plain((_, response) => response.writeHead(status).end('no list here'));
      const client = bench.client([entry('a', url)]);
      await client.start();
      expect(client.getStatus().hosts[0]).toMatchObject({ health: { state }, models: [] });
    });

    it.each<[string, RequestListener]>([
      ['says nothing', () => undefined],
      ['never ends its list', (_, response) => void response.writeHead(200).write('{"data":[')],
    ])('give up on a host that %s', async (_, listener) => {
      const client = bench.client([entry('a', await hosts.plain(listener))], { probeTimeoutMs: 150 });
      const start = performance.now();
      await client.start();
      expect(performance.now() - start).toBeLessThan(1_000);
      expect(client.getStatus().hosts[0]).toMatchObject({
        health: { state: 'UNHEALTHY', recentChecks: [{ reason: 'timeout' }] },
      });
    });

    it('go on, one at a time for each host, until they are stopped', async () => {
      let [running, most, count] = [0, 0, 0];
      let isDown = false;
      const url = await hosts.plain((_, response) => {
        count += 1;
        most = Math.max(most, (running += 1));
        setTimeout(() => {
          running -= 1;
          response.writeHead(isDown ? 500 : 200).end('{"data":[]}');
        }, 20);
      });
      const client = bench.client([entry('a', url)], { probeIntervalMs: 10 });
      const isUp = () => client.read().up;
      await client.start();
      await waitFor(() => count >= 4, { what: 'four probes' });
      expect(most).toBe(1);
      isDown = true;
      await waitFor(() => !isUp(), { what: 'the host to be seen as down' });
      expect(client.getStatus().hosts[0]?.health?.consecutiveFailures).toBe(2);
      isDown = false;
      await waitFor(isUp, { what: 'the host to be seen as up' });
      client.stop();
      await waitFor(() => running === 0, { what: 'the last probe to end' });
      const before = count;
      await delay(60);
      expect(count).toBe(before);
    });
  });

  it('serves another upstream just as well, beside the first one', async () => {
    const seen: string[] = [];
    const url = await hosts.plain((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end('{"data":[]}');
    });
    bench.client([entry('llm', DEAD_URL)]);
    const probe = { name: 'embedding_service', required: false };
    const client = bench.client([entry('embedding-service', url)], {}, probe);
    const response = await send(client, { path: '/embeddings' });
    expect(response.host).toBe('embedding-service');
    await response.body.bytes();
    expect(seen).toEqual(['POST /v1/embeddings']);
    expect([client.name, client.required]).toEqual(['embedding_service', false]);
    expect(await bench.metric('morgan_llm_host_in_flight{host="llm"}')).toBe('0');
  });
});
