import 'reflect-metadata';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { HttpService } from '@nestjs/axios';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError } from '@morgan/foundation';
import {
  HttpTransport,
  type RequestSender,
  TransportError,
  type TransportRequest,
} from '@morgan/http-transport';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import axios, { AxiosError, type AxiosRequestConfig } from 'axios';
import { axiosAdapter } from './axios-adapter.ts';
import { AxiosTransportModule } from './axios-transport.module.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let transport: HttpTransport;
let server: LocalServer;
let origin: string;
let handler: Handler;
let module: TestingModule;
let http: HttpService;

/** Answers with what it was asked. */
const mirror: Handler = (request, response) => {
  void buffer(request).then((body) => {
    const { method, url, headers } = request;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, url, headers, body: body.toString() }));
  });
};

interface Mirrored {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

const faultOf = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  expect(error).toBeInstanceOf(AxiosError);
  return error as AxiosError;
};
const send = async (config: AxiosRequestConfig) => (await http.axiosRef.request<Mirrored>(config)).data;

beforeEach(async () => {
  transport = new HttpTransport({
    maxConnections: 2,
    connectTimeoutMs: 500,
    keepAliveTimeoutMs: 4000,
    poolTimeoutMs: 100,
    writeTimeoutMs: 100,
  });
  handler = mirror;
  server = await listen((request, response) => handler(request, response));
  ({ origin } = server);
  const imports = [
    AxiosTransportModule.registerAsync({
      useFactory: () => ({
        sender: transport,
        defaults: { baseURL: origin, headers: { 'x-from': 'nest' } },
      }),
    }),
  ];
  module = await Test.createTestingModule({ imports }).compile();
  http = module.get(HttpService);
});

afterEach(async () => {
  await module.close();
  await transport.close(0);
  await server.close();
});

describe('HttpService over the transport', () => {
  it('sends what axios was told: base URL, params, headers, JSON, auth', async () => {
    const sent = await send({
      method: 'post',
      url: '/v1/x',
      params: { q: 'a b', list: [1, 2] },
      headers: { 'x-one': '1', 'x-none': null },
      data: { a: 1 },
      auth: { username: 'u', password: 'p' },
    });
    expect(sent).toMatchObject({
      method: 'POST',
      url: '/v1/x?q=a+b&list%5B%5D=1&list%5B%5D=2',
      body: '{"a":1}',
    });
    expect(sent.headers).toMatchObject({
      'x-from': 'nest',
      'x-one': '1',
      'content-type': 'application/json',
      'content-length': '7',
      authorization: 'Basic dTpw',
    });
    expect(sent.headers).not.toHaveProperty('x-none');
    expect(sent.headers).not.toHaveProperty('accept-encoding');
  });

  it('shares the pool of the transport and has no connection of its own', async () => {
    const observed = await new Promise<Mirrored>((resolve, reject) =>
      http.get<Mirrored>('/one').subscribe({ next: ({ data }) => resolve(data), error: reject }),
    );
    expect(observed.url).toBe('/one');
    await waitFor(() => transport.getStatus()[origin]?.free === 1, { what: 'the connection back' });
    const limits = { firstByteTimeoutMs: 1000, idleTimeoutMs: 1000 };
    await (await transport.request({ origin, path: '/', method: 'GET', ...limits })).bytes();
    expect(server.accepted).toBe(1);
  });

  it.each<[string, () => unknown, string]>([
    ['bytes', () => Buffer.from('bytes'), 'bytes'],
    ['a view', () => new Uint8Array([104, 105]), 'hi'],
    ['a form', () => new URLSearchParams({ a: '1' }), 'a=1'],
    ['a stream', () => Readable.from(['str', 'eam']), 'stream'],
    ['a blob', () => new Blob(['blob']), 'blob'],
  ])('sends %s', async (_, data, body) => {
    expect(await send({ method: 'put', url: '/', data: data() })).toMatchObject({ method: 'PUT', body });
  });

  it('sends a multipart form with its boundary', async () => {
    const form = new FormData();
    form.set('field', 'value');
    const { headers, body } = await send({ method: 'post', url: '/', data: form });
    const boundary = headers['content-type']?.split('boundary=')[1] ?? 'none';
    expect(body).toContain(boundary);
    expect(body).toContain('value');
  });

  it('gives each response type its form', async () => {
    handler = (_, response) => response.setHeader('x-list', ['a', 'b']).end('\uFEFF{"a":1}');
    const get = (responseType: AxiosRequestConfig['responseType']) =>
      http.axiosRef.get<unknown>('/', responseType ? { responseType } : {});
    const { data, status, statusText, headers } = await get(undefined);
    expect([data, status, statusText, headers['x-list']]).toEqual([{ a: 1 }, 200, 'OK', ['a', 'b']]);
    expect((await get('json')).data).toEqual({ a: 1 });
    expect((await get('arraybuffer')).data).toEqual(Buffer.from('\uFEFF{"a":1}'));
    expect(await text((await get('stream')).data as Readable)).toBe('{"a":1}');
    const raw = await http.axiosRef.get<string>('/', { responseType: 'text', transformResponse: [] });
    expect(raw.data).toBe('{"a":1}');
  });

  it('answers HEAD and OPTIONS', async () => {
    expect((await http.axiosRef.head('/')).status).toBe(200);
    expect(await send({ method: 'options', url: '/' })).toMatchObject({ method: 'OPTIONS' });
  });

  it('lets validateStatus decide', async () => {
    handler = (_, response) => response.writeHead(404).end('{"why":"gone"}');
    const fault = await faultOf(http.axiosRef.get('/'));
    expect(fault).toMatchObject({
      code: 'ERR_BAD_REQUEST',
      status: 404,
      response: { data: { why: 'gone' } },
    });
    expect((await http.axiosRef.get('/', { validateStatus: () => true })).status).toBe(404);
    handler = (_, response) => response.writeHead(503).end();
    expect(await faultOf(http.axiosRef.get('/'))).toMatchObject({ code: 'ERR_BAD_RESPONSE', status: 503 });
    handler = (_, response) => response.writeHead(307, { location: '/' }).end();
    expect(await faultOf(http.axiosRef.get('/'))).toMatchObject({ code: 'ERR_BAD_RESPONSE', status: 307 });
  });
});

describe('a sender with policies around the transport', () => {
  const failing = (error: unknown) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a sender may reject with anything
    const sender: RequestSender = { request: () => Promise.reject(error) };
    return axios.create({ adapter: axiosAdapter(sender), baseURL: 'http://127.0.0.1' });
  };
  const reset = new TransportError('reset', true);
  const aborted = new TransportError('aborted', true);
  const timedOut = Object.assign(new Error('The call was not over.', { cause: aborted }), {
    code: 'deadline_exceeded',
  });
  const endless = new Error('round');
  endless.cause = endless;

  it('sends what axios sends', async () => {
    const sent: TransportRequest[] = [];
    const sender: RequestSender = {
      request: (request) => {
        sent.push(request);
        return transport.request({ ...request, headers: [...(request.headers ?? []), 'x-by', 'policy'] });
      },
    };
    const module = AxiosTransportModule.register({ sender, defaults: { baseURL: origin } });
    const context = await Test.createTestingModule({ imports: [module] }).compile();
    const { data } = await context.get(HttpService).axiosRef.get<Mirrored>('/one');
    expect([data.url, data.headers['x-by'], sent.length]).toEqual(['/one', 'policy', 1]);
    await context.close();
  });

  it.each<[string, unknown, string, string]>([
    ['a fault of the transport behind it', new Error('gave up', { cause: reset }), 'ECONNRESET', 'gave up'],
    ['a fault far behind it', new Error('a', { cause: new Error('b', { cause: reset }) }), 'ECONNRESET', 'a'],
    [
      'a refusal of its own',
      new AppError('circuit_open', 'The circuit is open.'),
      'circuit_open',
      'The circuit is open.',
    ],
    ['an abort of its own', timedOut, 'deadline_exceeded', 'The call was not over.'],
    ['an abort without a word', aborted, 'ERR_CANCELED', 'The request was aborted.'],
    ['an error without code', new RangeError('odd'), 'ERR_NETWORK', 'odd'],
    ['an error that is its own cause', endless, 'ERR_NETWORK', 'round'],
    ['something that is no error', 'odd', 'ERR_NETWORK', 'The request failed.'],
    ['nothing', undefined, 'ERR_NETWORK', 'The request failed.'],
  ])('that fails with %s gives an AxiosError that holds it', async (_, error, code, message) => {
    const fault = await faultOf(failing(error).get('/'));
    expect(fault).toMatchObject({ code, message });
    expect(fault.cause).toBe(error);
    expect(axios.isCancel(fault)).toBe(false);
  });

  it('that repeats the abort of the caller is a cancel, whatever it throws', async () => {
    const aborter = new AbortController();
    const sender: RequestSender = {
      request: ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    };
    const asked = faultOf(axios.get(origin, { adapter: axiosAdapter(sender), signal: aborter.signal }));
    aborter.abort();
    const fault = await asked;
    expect([axios.isCancel(fault), fault.code]).toEqual([true, 'ERR_CANCELED']);
    const late = await faultOf(axios.get(origin, { adapter: axiosAdapter(sender), timeout: 20 }));
    expect(late).toMatchObject({ code: 'ECONNABORTED', message: 'timeout of 20ms exceeded' });
  });
});

describe('a fault', () => {
  const hang: Handler = (request) => void request.resume();

  it.each<[string, AxiosRequestConfig, Handler, string, string]>([
    ['refused', { baseURL: 'http://127.0.0.1:1' }, mirror, 'ECONNREFUSED', 'connect_refused'],
    ['no such name', { baseURL: 'http://nope.invalid' }, mirror, 'ENOTFOUND', 'dns_failed'],
    ['cut', {}, (request) => request.socket.destroy(), 'ECONNRESET', 'reset'],
    [
      'cut in the body',
      {},
      (_, response) =>
        void response.writeHead(200, { 'content-length': 9 }).write('x', () => response.destroy()),
      'ERR_BAD_RESPONSE',
      'incomplete_body',
    ],
    [
      'stalled upload',
      { method: 'post', data: Buffer.alloc(16e6) },
      () => undefined,
      'ECONNABORTED',
      'write_timeout',
    ],
    ['bad header', { headers: { 'x y': '1' } }, mirror, 'ERR_BAD_REQUEST', 'invalid_request'],
  ])('%s has the code that axios gives it', async (_, config, answer, code, reason) => {
    handler = answer;
    const fault = await faultOf(http.axiosRef.request(config));
    expect(fault).toMatchObject({ code, cause: { reason } });
    expect(fault.cause).toBeInstanceOf(TransportError);
  });

  it('of the pool is a timeout', async () => {
    handler = hang;
    const busy = [1, 2].map(() => faultOf(http.axiosRef.get('/')));
    await waitFor(() => transport.getStatus()[origin]?.running === 2, { what: 'two requests' });
    const transitional = { clarifyTimeoutError: true };
    const fault = await faultOf(http.axiosRef.get('/', { transitional }));
    expect(fault).toMatchObject({ code: 'ETIMEDOUT', cause: { reason: 'pool_timeout' } });
    await transport.close(0);
    for (const other of await Promise.all(busy)) expect(other.code).toBe('ERR_NETWORK');
  });

  it.each<[string, Handler]>([
    ['before the headers', hang],
    [
      'within a body that drips',
      (_, response) => {
        const timer = setInterval(() => response.write('.'), 20);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('timeout ends the whole call %s', async (_, answer) => {
    handler = answer;
    const start = performance.now();
    const fault = await faultOf(http.axiosRef.get('/', { timeout: 150 }));
    expect(fault).toMatchObject({ code: 'ECONNABORTED', message: 'timeout of 150ms exceeded' });
    expect(performance.now() - start).toBeGreaterThanOrEqual(100);
  });

  it('of the caller is a cancel, before the response and within a stream, and leaves no listener', async () => {
    handler = hang;
    const aborter = new AbortController();
    const removed = jest.spyOn(aborter.signal, 'removeEventListener');
    const asked = faultOf(http.axiosRef.get('/', { signal: aborter.signal }));
    await waitFor(() => transport.getStatus()[origin]?.running === 1, { what: 'the request' });
    aborter.abort();
    const fault = await asked;
    expect([axios.isCancel(fault), fault.code]).toEqual([true, 'ERR_CANCELED']);
    expect(removed).toHaveBeenCalledWith('abort', expect.any(Function));

    handler = (_, response) => void response.write('first');
    const other = new AbortController();
    const { data } = await http.axiosRef.get<Readable>('/', {
      responseType: 'stream',
      signal: other.signal,
      timeout: 1_500,
    });
    await once(data, 'data');
    // The timeout is over by now: a stream may take longer.
    const end = performance.now() + 1_600;
    await waitFor(() => performance.now() > end, { what: 'the timeout' });
    expect(data.destroyed).toBe(false);
    other.abort();
    expect(await faultOf(text(data))).toMatchObject({ code: 'ERR_CANCELED' });
  });

  it('is a body over the limits', async () => {
    const large = { method: 'post', url: '/', data: Buffer.alloc(100) };
    expect(await faultOf(http.axiosRef.request({ ...large, maxBodyLength: 99 }))).toMatchObject({
      code: 'ERR_BAD_REQUEST',
    });
    expect(await faultOf(http.axiosRef.request({ ...large, maxContentLength: 99 }))).toMatchObject({
      code: 'ERR_BAD_RESPONSE',
    });
    await waitFor(() => transport.getStatus()[origin]?.running === 0, { what: 'nothing in flight' });
  });

  it.each<[string, AxiosRequestConfig, string]>([
    ['an agent of its own', { httpAgent: {} }, 'ERR_BAD_REQUEST'],
    ['a proxy', { proxy: { host: 'proxy', port: 1 } }, 'ERR_BAD_REQUEST'],
    ['another protocol', { baseURL: 'ftp://127.0.0.1' }, 'ERR_BAD_REQUEST'],
    ['no URL', { baseURL: 'http://' }, 'ERR_INVALID_URL'],
  ])('is %s', async (_, config, code) => {
    expect(await faultOf(http.axiosRef.request(config))).toMatchObject({ code });
    expect(server.accepted).toBe(0);
  });
});
