import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type FakeLlmHost,
  type FakeLlmHostOptions,
  type Fault,
  startFakeLlmHost,
} from '@morgan/fake-llm-host';
import { AppError, type LogFields, type Logger } from '@morgan/foundation';
import { HttpTransport } from '@morgan/http-transport';
import { Metrics } from '@morgan/telemetry';
import { waitFor } from '@morgan/testing';
import {
  DistributedLlmClient,
  type DistributedLlmOptions,
  type HostRequest,
} from './distributed-llm.client.ts';
import { HostMetrics } from './host-metrics.ts';
import type { LlmHost } from './host-list.ts';

const DEAD_URL = 'http://127.0.0.1:9/v1';
const CHAT = { model: 'simulated', messages: [{ role: 'user', content: 'the prompt' }] };
const KEYS = ['sk-of-the-host', 'sk-of-the-caller'];

describe('DistributedLlmClient', () => {
  let transport: HttpTransport;
  let metrics: Metrics;
  let hostMetrics: HostMetrics;
  let log: (LogFields & { level: string; message: string })[];
  const closers: (() => Promise<unknown> | void)[] = [];

  beforeEach(() => {
    transport = new HttpTransport({ maxConnections: 16, connectTimeoutMs: 500, keepAliveTimeoutMs: 4000 });
    metrics = new Metrics();
    hostMetrics = new HostMetrics(metrics);
    log = [];
  });

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    await transport.close(0);
    const lines = JSON.stringify(log, (_, value: unknown) =>
      value instanceof Error ? [value.message, String(value.cause)] : value,
    );
    for (const secret of [...KEYS, 'the prompt']) expect(lines).not.toContain(secret);
  });

  const fakeHost = async (options: FakeLlmHostOptions = {}): Promise<FakeLlmHost> => {
    const host = await startFakeLlmHost(options);
    closers.push(() => host.close());
    return host;
  };
  /** A host that answers exactly as the test says. */
  const plainHost = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  };
  const entry = (name: string, url: string, rest: Partial<LlmHost> = {}): LlmHost => ({
    name,
    url,
    weight: 1,
    ...rest,
  });
  const writer = (level: string) => (fields: LogFields, message: string) =>
    void log.push({ ...fields, level, message });
  const logger: Logger = {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
  };
  const clientOf = (hosts: readonly LlmHost[], options: Partial<DistributedLlmOptions> = {}) => {
    const client = new DistributedLlmClient({
      hosts,
      transport,
      logger,
      metrics: hostMetrics,
      firstByteTimeoutMs: 2_000,
      idleTimeoutMs: 2_000,
      probeIntervalMs: 60_000,
      probeTimeoutMs: 500,
      ...options,
    });
    closers.push(() => client.stop());
    return client;
  };
  const send = (client: DistributedLlmClient, request: Partial<HostRequest> = {}, signal?: AbortSignal) =>
    client.send(
      {
        method: 'POST',
        path: '/chat/completions',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${KEYS[1]}` },
        body: Buffer.from(JSON.stringify(CHAT)),
        ...request,
      },
      { id: 'call-1', signal: signal ?? new AbortController().signal },
    );
  const errorOf = async (work: Promise<unknown>): Promise<AppError> => {
    const error: unknown = await work.then(
      () => undefined,
      (fault: unknown) => fault,
    );
    expect(error).toBeInstanceOf(AppError);
    return error as AppError;
  };
  const metricLine = async (start: string) =>
    (await metrics.render())
      .split('\n')
      .find((line) => line.startsWith(start))
      ?.split(' ')
      .at(-1);

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

    it.each(faults)('on %s goes to the next host', async (_, fault, reason) => {
      const [bad, good] = [await fakeHost({ fault }), await fakeHost()];
      const client = clientOf([entry('bad', bad.url), entry('good', good.url)], { firstByteTimeoutMs: 150 });
      const start = performance.now();
      const response = await send(client);
      expect(performance.now() - start).toBeLessThan(reason === 'timeout' ? 450 : 300);
      expect(response).toMatchObject({ host: 'good', status: 200, attempts: 2 });
      expect(JSON.parse((await response.body.bytes()).toString())).toMatchObject({
        object: 'chat.completion',
      });
      expect([bad.requests.length, good.requests.length]).toEqual([fault.kind === 'refuse' ? 0 : 1, 1]);
      const warning = { level: 'warn', requestId: 'call-1', host: 'bad', reason, next: 'good' };
      expect(log).toContainEqual(expect.objectContaining(warning));
      expect(await metricLine(`morgan_llm_failovers_total{reason="${reason}"}`)).toBe('1');
      expect(await metricLine(`morgan_llm_host_requests_total{host="bad",outcome="${reason}"}`)).toBe('1');
      expect(await metricLine('morgan_llm_host_requests_total{host="good",outcome="ok"}')).toBe('1');
      await waitFor(() => Object.values(transport.getStatus()).every(({ running }) => running === 0), {
        what: 'no connection in use',
      });
    });

    it.each(faults)('with nothing but %s tries each host once', async (_, fault, reason, code, status) => {
      const hosts = [await fakeHost({ fault }), await fakeHost({ fault })];
      const list = hosts.map((host, index) => entry(`h${index}`, host.url));
      const client = clientOf(list, { firstByteTimeoutMs: 100 });
      const error = await errorOf(send(client));
      expect([error.code, error.status]).toEqual([code, status]);
      expect(error.message).toMatch(/^2 hosts were tried; the last one, h1, /);
      expect(error.message).not.toContain('127.0.0.1');
      expect(error.cause).toBeInstanceOf(Error);
      expect(client.getStatus()).toMatchObject([
        { requests: 1, failures: 1, inFlight: 0, lastError: reason },
        { requests: 1, failures: 1, inFlight: 0, lastError: reason },
      ]);
    });

    it('answers 503 in the envelope where every host is down, and where there is none', async () => {
      const error = await errorOf(send(clientOf([entry('only', DEAD_URL)])));
      expect([error.status, error.toEnvelope().error]).toEqual([
        503,
        {
          message: '1 host was tried; it, only, could not be reached.',
          type: 'server_error',
          param: null,
          code: 'no_host_available',
        },
      ]);
      expect((await errorOf(send(clientOf([])))).code).toBe('no_host_available');
    });

    it('closes the connection of an answer that it does not want, however long that answer is', async () => {
      let closed = false;
      const endless = await plainHost((_, response) => {
        response.on('close', () => (closed = true)).writeHead(500);
        response.write('x'.repeat(1000));
      });
      const good = await fakeHost();
      await (await send(clientOf([entry('endless', endless), entry('good', good.url)]))).body.bytes();
      await waitFor(() => closed, { what: 'the end of the unwanted answer', timeoutMs: 200 });
      expect(transport.getStatus()[new URL(endless).origin]).toMatchObject({ running: 0, connected: 0 });
    });

    it('keeps the connection of a short unwanted answer', async () => {
      const bad = await fakeHost({ fault: { kind: 'status', status: 503 } });
      const client = clientOf([entry('bad', bad.url)]);
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
        await fakeHost({ fault: { kind: 'cut-in-stream', afterChunks: 2 } }),
        await fakeHost(),
      ];
      const client = clientOf([entry('bad', bad.url), entry('good', good.url)]);
      const response = await send(client, { body: Buffer.from(JSON.stringify({ ...CHAT, stream: true })) });
      expect(response).toMatchObject({ host: 'bad', status: 200, attempts: 1 });
      expect(response.contentType).toContain('text/event-stream');
      expect((await errorOf(response.body.bytes())).code).toBe('stream_interrupted');
      expect(good.requests).toHaveLength(0);
      await waitFor(() => client.getStatus()[0]?.inFlight === 0, { what: 'the end of the try' });
      expect(await metricLine('morgan_llm_host_requests_total{host="bad",outcome="interrupted"}')).toBe('1');
    });
  });

  describe('an answer below 500', () => {
    it.each([400, 404, 409, 422, 429])('with %i comes back as it is', async (status) => {
      const body = '{"error": {"message":"from the host",  "code":null}}';
      const headers = { 'retry-after': '17', 'x-ratelimit-remaining-tokens': '0' };
      const bad = await fakeHost({ fault: { kind: 'status', status, body, headers } });
      const good = await fakeHost();
      const client = clientOf([entry('bad', bad.url), entry('good', good.url)]);
      const response = await send(client);
      expect(response).toMatchObject({ host: 'bad', status, attempts: 1 });
      expect(response.headers.join()).toContain('retry-after,17,x-ratelimit-remaining-tokens,0');
      expect((await response.body.bytes()).toString()).toBe(body);
      expect(good.requests).toHaveLength(0);
      const outcome = status === 429 ? 'rate_limited' : 'client_error';
      expect(await metricLine(`morgan_llm_host_requests_total{host="bad",outcome="${outcome}"}`)).toBe('1');
      expect(client.getStatus()[0]).toMatchObject({ state: 'usable', failures: 0 });
    });

    it.each([401, 403])('with %i means that our own key is wrong', async (status) => {
      const bad = await fakeHost({ fault: { kind: 'status', status } });
      const good = await fakeHost();
      const list = [entry('bad', bad.url, { apiKey: KEYS[0] }), entry('good', good.url)];
      const error = await errorOf(send(clientOf(list)));
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
      const url = await plainHost((request, response) => {
        request.on('data', (chunk: Buffer) => received.push(chunk));
        request.on('end', () => response.writeHead(200, { 'Content-Type': 'x/y' }).end(answer));
      });
      const response = await send(clientOf([entry('echo', url)]), { body: odd });
      expect((await response.body.bytes()).equals(answer)).toBe(true);
      expect(Buffer.concat(received).equals(odd)).toBe(true);
      expect(response.contentType).toBe('x/y');
    });

    it('carries the host’s key and the call’s id, never the caller’s key', async () => {
      const [keyed, open] = [await fakeHost({ apiKey: KEYS[0] ?? '' }), await fakeHost()];
      const client = clientOf([
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
      const [a, b] = [await fakeHost(), await fakeHost()];
      const client = clientOf([entry('a', a.url, { weight: 2 }), entry('b', b.url)]);
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
      const [small, large] = [await fakeHost({ models: ['small'] }), await fakeHost({ models: ['large'] })];
      const client = clientOf([entry('small', small.url), entry('large', large.url)]);
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

    it('puts a host that refused a connection last until a call reaches it again', async () => {
      const [a, b] = [await fakeHost(), await fakeHost()];
      const client = clientOf([entry('a', a.url), entry('b', b.url)]);
      const call = async () => {
        const response = await send(client);
        await response.body.bytes();
        return `${response.host}${response.attempts}`;
      };
      await a.setFault({ kind: 'refuse' });
      expect([await call(), await call(), await call()]).toEqual(['b2', 'b1', 'b1']);
      expect(client.getStatus()[0]).toMatchObject({
        state: 'unusable',
        lastError: 'connect_error',
        failures: 1,
      });
      expect(log.filter(({ message }) => message === 'host is down')).toHaveLength(1);
      await a.setFault(undefined);
      await b.setFault({ kind: 'refuse' });
      await waitFor(() => transport.getStatus()[new URL(b.url).origin]?.connected === 0, {
        what: 'the cut of the kept connections',
      });
      expect([await call(), await call()]).toEqual(['a2', 'a1']);
      expect(client.getStatus()[0]?.state).toBe('usable');
      expect(log.filter(({ message, host }) => message === 'host is up' && host === 'a')).toHaveLength(1);
    });
  });

  describe('an abort', () => {
    it.each([
      ['before the headers', { timeToFirstTokenMs: 5_000 }, {}],
      ['in mid-stream', { tokensPerSecond: 5 }, { stream: true }],
    ])('%s reaches the host within 100 ms, and no other host is asked', async (where, pace, extra) => {
      const [slow, other] = [
        await fakeHost({ ...pace, answer: 'one two three four five six' }),
        await fakeHost(),
      ];
      const client = clientOf([entry('slow', slow.url), entry('other', other.url)], {
        firstByteTimeoutMs: 10_000,
      });
      const aborter = new AbortController();
      const sent = send(client, { body: Buffer.from(JSON.stringify({ ...CHAT, ...extra })) }, aborter.signal);
      const outcome = errorOf(sent.then(({ body }) => body.bytes()));
      const atHost = await slow.nextRequest();
      if (where === 'in mid-stream') await once((await sent).body, 'readable');
      const abortedAt = performance.now();
      aborter.abort();
      expect((await atHost.whenAborted()) - abortedAt).toBeLessThan(100);
      expect((await outcome).code).toBe('client_closed_request');
      expect(other.requests).toHaveLength(0);
      await waitFor(() => client.getStatus()[0]?.inFlight === 0, { what: 'the end of the try' });
      expect(client.getStatus()[0]).toMatchObject({ requests: 1, failures: 0 });
      expect(await metricLine('morgan_llm_host_requests_total{host="slow",outcome="aborted"}')).toBe('1');
    });

    it('before the call asks nobody', async () => {
      const host = await fakeHost();
      const error = await errorOf(send(clientOf([entry('a', host.url)]), {}, AbortSignal.abort()));
      expect(error.code).toBe('client_closed_request');
      expect(host.requests).toHaveLength(0);
    });
  });

  describe('probes', () => {
    it('tell which hosts are usable, and what they serve', async () => {
      const [a, b] = [await fakeHost({ models: ['x', 'y'] }), await fakeHost({ models: ['y', 'z'] })];
      const client = clientOf([entry('a', a.url), entry('dead', DEAD_URL), entry('b', b.url)]);
      expect(client.read()).toEqual({ up: false, details: { a: 'unknown', dead: 'unknown', b: 'unknown' } });
      await client.start();
      expect(client.read()).toEqual({ up: true, details: { a: 'usable', dead: 'unusable', b: 'usable' } });
      expect([client.name, client.required]).toEqual(['llm_hosts', true]);
      expect(client.models().map(({ id }) => id)).toEqual(['x', 'y', 'z']);
      expect(client.getStatus()[0]).toMatchObject({ models: ['x', 'y'], requests: 0 });
      expect(client.getStatus()[0]?.latencyMs).toBeGreaterThan(0);
      expect(await metricLine('morgan_llm_host_usable{host="a"}')).toBe('1');
      expect(await metricLine('morgan_llm_host_usable{host="dead"}')).toBe('0');
      expect(log.map(({ level, host, message }) => `${level} ${String(host)} ${message}`).sort()).toEqual([
        'info a host is up',
        'info b host is up',
        'warn dead host is down',
      ]);
    });

    it('keep model objects as the host describes them', async () => {
      const model = {
        id: 'm',
        object: 'model',
        created: 1,
        max_model_len: 8192,
        permission: [{ allow: true }],
      };
      const url = await plainHost((_, response) =>
        response.end(JSON.stringify({ data: [model, 'no model', {}] })),
      );
      const client = clientOf([entry('a', url)]);
      await client.start();
      expect(client.models()).toEqual([model]);
    });

    it.each([
      [401, 'usable'],
      [404, 'usable'],
      [500, 'unusable'],
      [503, 'unusable'],
    ])('take %i as %s', async (status, state) => {
      const url = await plainHost((_, response) => response.writeHead(status).end('no list here'));
      const client = clientOf([entry('a', url)]);
      await client.start();
      expect(client.getStatus()[0]).toMatchObject({ state, models: [] });
    });

    it.each<[string, RequestListener]>([
      ['says nothing', () => undefined],
      ['never ends its list', (_, response) => void response.writeHead(200).write('{"data":[')],
    ])('give up on a host that %s', async (_, listener) => {
      const client = clientOf([entry('a', await plainHost(listener))], { probeTimeoutMs: 150 });
      const start = performance.now();
      await client.start();
      expect(performance.now() - start).toBeLessThan(450);
      expect(client.getStatus()[0]).toMatchObject({ state: 'unusable', lastError: 'timeout' });
    });

    it('go on, one at a time for each host, until they are stopped', async () => {
      let running = 0;
      let most = 0;
      let count = 0;
      let isDown = false;
      const url = await plainHost((_, response) => {
        count += 1;
        most = Math.max(most, (running += 1));
        setTimeout(() => {
          running -= 1;
          response.writeHead(isDown ? 500 : 200).end('{"data":[]}');
        }, 20);
      });
      const client = clientOf([entry('a', url)], { probeIntervalMs: 10 });
      await client.start();
      await waitFor(() => count >= 4, { what: 'four probes' });
      expect(most).toBe(1);
      isDown = true;
      await waitFor(() => client.getStatus()[0]?.state === 'unusable', {
        what: 'the host to be seen as down',
      });
      isDown = false;
      await waitFor(() => client.getStatus()[0]?.state === 'usable', { what: 'the host to be seen as up' });
      client.stop();
      await waitFor(() => running === 0, { what: 'the last probe to end' });
      const before = count;
      await delay(60);
      expect(count).toBe(before);
    });
  });

  it('serves another upstream just as well, beside the first one', async () => {
    const seen: string[] = [];
    const url = await plainHost((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end('{"data":[]}');
    });
    clientOf([entry('llm', DEAD_URL)]);
    const probe = { name: 'embedding_service', required: false };
    const client = clientOf([entry('embedding-service', url)], { probe });
    const response = await send(client, { path: '/embeddings' });
    expect(response.host).toBe('embedding-service');
    await response.body.bytes();
    expect(seen).toEqual(['POST /v1/embeddings']);
    expect([client.name, client.required]).toEqual(['embedding_service', false]);
    expect(await metricLine('morgan_llm_host_in_flight{host="llm"}')).toBe('0');
  });
});
