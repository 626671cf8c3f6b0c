import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Fault } from '@morgan/fake-llm-host';
import type { HttpTransport } from '@morgan/http-transport';
import { waitFor } from '@morgan/testing';
import { CHAT, ClientBench, entry, errorOf, KEYS, send, STREAM } from '../../fixture/client-bench.ts';
import { TestHosts } from '../../fixture/test-hosts.ts';
const ANSWER = '{"choices":[{}]}';
const DEAD_URL = 'http://127.0.0.1:9/v1';

describe('DistributedLlmClient', () => {
  const bench = new ClientBench();
  let transport: HttpTransport;
  let log: ClientBench['log'];
  const hosts = new TestHosts();

  beforeEach(() => {
    ({ transport, log } = bench);
  });

  afterEach(async () => {
    jest.useRealTimers();
    const lines = await bench.close();
    await hosts.close();
    for (const secret of [...KEYS, 'the prompt']) expect(lines).not.toContain(secret);
  });

  describe('failover', () => {
    const faults: [string, Fault, string, string | undefined, number][] = [
      ['503', { kind: 'status', status: 503 }, 'server_error', undefined, 503],
      ['500', { kind: 'status', status: 500 }, 'server_error', undefined, 500],
      ['a redirect', { kind: 'status', status: 307 }, 'redirect', 'host_error', 502],
      ['a reset before the headers', { kind: 'reset-before-headers' }, 'reset', 'host_error', 502],
      ['bytes that are not HTTP', { kind: 'bad-http' }, 'bad_response', 'host_error', 502],
      ['silence', { kind: 'stall-before-headers' }, 'timeout', 'host_timeout', 504],
      ['a closed port', { kind: 'refuse' }, 'connect_error', 'no_host_available', 503],
    ];

    // Short only where it must pass: a busy machine may take its time for an answer.
    const limitFor = (outcome: string) => (outcome === 'timeout' ? 200 : 2_000);

    it.each(faults)('on %s goes to the next host', async (_, fault, outcome) => {
      const [bad, good] = [await hosts.fake({ fault }), await hosts.fake()];
      const client = bench.client([entry('bad', bad.url), entry('good', good.url)], {
        firstByteTimeoutMs: limitFor(outcome),
      });
      const response = await send(client, { body: STREAM });
      expect(response).toMatchObject({ host: 'good', status: 200, attempts: 2 });
      expect((await response.body.bytes()).toString()).toContain('data: [DONE]');
      expect([bad.requests.length, good.requests.length]).toEqual([fault.kind === 'refuse' ? 0 : 1, 1]);
      const attempts = [{ host: 'bad', outcome }, { host: 'good' }];
      expect(log).toContainEqual(expect.objectContaining({ level: 'warn', requestId: 'call-1' }));
      expect(log.find(({ level }) => level === 'warn')).toMatchObject({ attempts });
      expect(await bench.metric(`morgan_llm_failovers_total{reason="${outcome}"}`)).toBe('1');
      expect(await bench.metric(`morgan_llm_host_requests_total{host="bad",outcome="${outcome}"}`)).toBe('1');
      expect(await bench.metric('morgan_llm_host_requests_total{host="good",outcome="ok"}')).toBe('1');
      expect(
        Number(await bench.metric('morgan_http_transport_connections_opened_total{pool="good"}')),
      ).toBeGreaterThan(0);
      await waitFor(() => Object.values(transport.getStatus()).every(({ running }) => running === 0), {
        what: 'no connection in use',
      });
    });

    it.each(faults)('with nothing but %s tries each host once', async (_, fault, outcome, code, status) => {
      const failing = [await hosts.fake({ fault }), await hosts.fake({ fault })];
      const list = failing.map((host, index) => entry(`h${index}`, host.url));
      const client = bench.client(list, { firstByteTimeoutMs: limitFor(outcome) });
      if (code === undefined)
        expect(await send(client, { body: STREAM })).toMatchObject({ status, attempts: 2 });
      else {
        const error = await errorOf(send(client, { body: STREAM }));
        expect([error.code, error.status]).toEqual([code, status]);
        expect(error.message).toMatch(/^2 attempts were made; the last host, h1, /);
        expect(error.message).not.toContain('127.0.0.1');
      }
      for (const host of client.getStatus().hosts) expect(host).toMatchObject({ requests: 1, inFlight: 0 });
    });

    it('does not say of a host that it cut the connection where its answer ends without content', async () => {
      const url = await hosts.plain((_, response) => {
        const role = { index: 0, delta: { role: 'assistant', content: '' } };
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`data: ${JSON.stringify({ choices: [role] })}\n\n`);
      });
      const error = await errorOf(send(bench.client([entry('only', url)]), { body: STREAM }));
      expect(error.message).toMatch(/; the last host, only, gave an answer that ended too soon\.$/);
    });

    it('answers 503 in the envelope where every host is down, and where there is none', async () => {
      const error = await errorOf(send(bench.client([entry('only', DEAD_URL)])));
      expect([error.status, error.toEnvelope().error]).toEqual([
        503,
        {
          message: '1 attempt was made; only could not be reached.',
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
      await waitFor(() => closed, { what: 'the end of the unwanted answer' });
      expect(transport.getStatus()[new URL(endless).origin]).toMatchObject({ running: 0, connected: 0 });
    });

    it.each([1, 4])('is not needed where a host had closed all of %i kept connections', async (kept) => {
      const sockets = new Set();
      const firsts: ServerResponse[] = [];
      const url = await hosts.plain(({ socket }, response) => {
        if (sockets.has(socket)) return socket.destroy();
        sockets.add(socket);
        if (firsts.push(response) >= kept) for (const each of firsts.splice(0)) each.end(ANSWER);
      });
      const client = bench.client([entry('only', url)]);
      await Promise.all(Array.from({ length: kept }, async () => (await send(client)).body.bytes()));
      const { origin } = new URL(url);
      await waitFor(() => transport.getStatus()[origin]?.free === kept, { what: 'free connections' });
      kept = 1;
      const response = await send(client);
      expect(response).toMatchObject({ host: 'only', status: 200, attempts: 1 });
      await response.body.bytes();
      expect(client.getStatus()).toMatchObject({
        hosts: [{ requests: sockets.size, failures: 0 }],
        budget: { granted: { retry: 1, fallback: 0 } },
      });
    });

    it('makes up once for a closed connection, where the host resets whatever it is sent', async () => {
      const kept = 4;
      const longer = Buffer.from(JSON.stringify({ ...CHAT, user: 'another' }));
      const firsts: ServerResponse[] = [];
      let held: ServerResponse | undefined;
      let resets = 0;
      const url = await hosts.plain(({ socket, headers }, response) => {
        if (headers['content-length'] === String(longer.length)) held = response;
        else if (firsts.length < kept) {
          if (firsts.push(response) === kept) for (const each of firsts) each.end(ANSWER);
        } else {
          resets += 1;
          socket.resetAndDestroy();
        }
      });
      const client = bench.client([entry('only', url)]);
      await Promise.all(Array.from({ length: kept }, async () => (await send(client)).body.bytes()));
      const { origin } = new URL(url);
      await waitFor(() => transport.getStatus()[origin]?.free === kept, { what: 'free connections' });
      const failing = errorOf(send(client));
      await waitFor(() => resets === 2 && transport.getStatus()[origin]?.running === 0, {
        what: 'the end of the first attempt',
      });
      // Takes the place of the connection that was reset, so the second attempt meets a kept one.
      const other = send(client, { body: longer });
      expect((await failing).message).toMatch(/^2 attempts were made/);
      expect(resets).toBe(3);
      await waitFor(() => held !== undefined, { what: 'the other request' });
      held?.end(ANSWER);
      await (await other).body.bytes();
    });

    it('keeps the connection of a short unwanted answer', async () => {
      const bad = await hosts.fake({ fault: { kind: 'status', status: 503 } });
      const client = bench.client([entry('bad', bad.url)]);
      for (let count = 0; count < 5; count += 1) {
        await (await send(client)).body.bytes();
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
      const response = await send(client, { body: STREAM });
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

  describe('what passes through', () => {
    const odd = Buffer.from(
      '{ "model" :"simulated",\t"n":1.0,"big":12345678901234567890, "e":1e-7,\n"s":"\\u00e9\\ud83d\\ude00/é","dup":1,"dup":2, "unknown":{"b":1,"a":[ ]} }\r\n',
    );

    it('is byte for byte the same both ways', async () => {
      const received: Buffer[] = [];
      const answer = Buffer.concat([
        Buffer.from('{"bytes":"'),
        Buffer.from([0, 255, 10]),
        odd,
        Buffer.from('"}'),
      ]);
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
      expect(await errorOf(ask('large'))).toMatchObject({ code: 'no_host_available' });
      expect(small.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
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
      await client.stop();
      for (let count = 0; count < 22; count += 1) await (await send(client)).body.bytes();
      const ofA = a.requests.filter(({ method }) => method === 'POST').length;
      expect([1, 2, 3]).toContain(ofA);
    });
  });

  describe('an abort', () => {
    it.each([
      ['before the headers', { timeToFirstTokenMs: 60_000 }, {}],
      ['in mid-stream', { tokensPerSecond: 5 }, { stream: true }],
    ])('%s reaches the host, and no other host is asked', async (where, pace, extra) => {
      const [slow, other] = [await hosts.fake({ ...pace, answer: 'word '.repeat(100) }), await hosts.fake()];
      const client = bench.client([entry('slow', slow.url), entry('other', other.url)], {
        firstByteTimeoutMs: 60_000,
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
      aborter.abort();
      await atHost.whenAborted();
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

  it('serves another upstream just as well, beside the first one', async () => {
    const seen: string[] = [];
    const url = await hosts.plain((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end('{"data":[{}]}');
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
