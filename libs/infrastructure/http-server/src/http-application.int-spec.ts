import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { connect, Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, HttpCode, Module, Post, Req, Res } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  AppError,
  type FinishedRequest,
  type HttpObserver,
  loadConfig,
  silentLogger,
} from '@morgan/foundation';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Metrics } from '@morgan/telemetry';
import { z } from 'zod';
import { postJson } from '@morgan/testing';
import { Drain } from './drain.ts';
import { contextOf } from './http-exchange.ts';
import { createHttpApplication } from './http-application.ts';
import { httpConfig } from './http-server.config.ts';

const echoSchema = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.string()).min(1).max(3), z.array(z.int()).min(1)]),
});

@Controller('v1')
class EchoController {
  aborted: Promise<number> | undefined;

  @Post('echo')
  @HttpCode(200)
  echo(@Body({ schema: echoSchema }) body: unknown) {
    return { body };
  }

  @Get('boom')
  boom(): never {
    throw new Error('the secret inside');
  }

  @Get('busy')
  busy(): never {
    throw new AppError('bulkhead_full', 'The queue is full.', { retryAfterMs: 1200 });
  }

  @Get('deadline')
  deadline(@Req() request: FastifyRequest) {
    return { remainingMs: contextOf(request).deadline?.remainingMs() };
  }

  @Get('wait')
  wait(@Res() reply: FastifyReply): void {
    const { signal } = contextOf(reply);
    this.aborted = once(signal, 'abort').then(() => performance.now());
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/plain' });
    reply.raw.write('begun');
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

class Recorder implements HttpObserver {
  readonly finishedRequests: FinishedRequest[] = [];
  inFlight = 0;
  #waiting: ((request: FinishedRequest) => void)[] = [];

  started(): void {
    this.inFlight += 1;
  }

  finished(request: FinishedRequest): void {
    this.inFlight -= 1;
    this.finishedRequests.push(request);
    this.#waiting.shift()?.(request);
  }

  next(): Promise<FinishedRequest> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const config = loadConfig(
  z.strictObject({ http: httpConfig({ port: 0, bodyLimitBytes: 2048, maxBodyBytes: 65_536 }) }),
  {
    env: {},
  },
).http;
const recorder = new Recorder();
const drain = new Drain();
let app: NestFastifyApplication;
let url: string;

beforeAll(async () => {
  app = await createHttpApplication(
    { module: EchoModule },
    {
      config,
      logger: silentLogger,
      drain,
      observers: [recorder],
      metrics: new Metrics(),
      authenticator: { identify: (rawHeaders) => (rawHeaders.includes('Bearer wrong') ? undefined : '') },
      api: { title: 'Echo', description: 'An application for this test.' },
    },
  );
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});

afterAll(() => app.close());
beforeEach(() => {
  recorder.finishedRequests.length = 0;
});

const post = (body: string, headers: Record<string, string> = {}) =>
  postJson(`${url}/v1/echo`, body, headers);

interface Fault {
  readonly error: { message: string; type: string; param: string | null; code: string };
}

describe('the HTTP edge', () => {
  it("repeats the caller's request id and makes one up where it is missing or unfit", async () => {
    const own = await post('{}', { 'x-request-id': 'call-17' });
    expect(own.headers.get('x-request-id')).toBe('call-17');
    const unfit = await post('{}', { 'x-request-id': 'a b' });
    expect(unfit.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['malformed JSON', '{"model": "m", oops}', 400, 'invalid_json', null],
    ['no body', '', 400, 'missing_body', null],
    ['not an object', '[]', 400, 'missing_body', null],
    ['a missing field', '{"input":"a"}', 400, 'missing_required_parameter', 'model'],
    ['a missing union field', '{"model":"m"}', 400, 'missing_required_parameter', 'input'],
    ['a wrong type', '{"model":7,"input":"a"}', 400, 'invalid_type', 'model'],
    ['a wrong type in a union', '{"model":"m","input":true}', 400, 'invalid_type', 'input'],
    ['a wrong type deep in a union', '{"model":"m","input":["a",7]}', 400, 'invalid_type', 'input[1]'],
    ['an empty text', '{"model":"","input":"a"}', 400, 'empty_string', 'model'],
    ['an empty list', '{"model":"m","input":[]}', 400, 'empty_array', 'input'],
    [
      'a list that is too long',
      '{"model":"m","input":["a","b","c","d"]}',
      400,
      'array_above_max_length',
      'input',
    ],
    [
      'a body that is too large',
      JSON.stringify({ model: 'm', input: 'a'.repeat(3000) }),
      413,
      'request_too_large',
      null,
    ],
  ])('answers %s in the envelope', async (_, body, status, code, param) => {
    const response = await post(body);
    const { error } = (await response.json()) as Fault;
    expect({ status: response.status, code: error.code, param: error.param }).toEqual({
      status,
      code,
      param,
    });
    expect(error.type).toBe('invalid_request_error');
  });

  it('takes no field away, whatever its name', async () => {
    const body = '{"model":"m","input":"a","constructor":1,"deep":{"prototype":[{"__proto__":2}]}}';
    expect(await (await post(body)).text()).toBe(`{"body":${body}}`);
  });

  it('names the limit that was crossed', async () => {
    const long = (await (await post('{"model":"m","input":["a","b","c","d"]}')).json()) as Fault;
    expect(long.error.message).toContain('at most 3');
    const large = (await (await post(JSON.stringify({ input: 'a'.repeat(3000) }))).json()) as Fault;
    expect(large.error.message).toContain('2048 bytes');
  });

  it.each([
    ['POST', '/echo', ' There is /v1/echo.'],
    ['POST', '/v1/v1/echo?a=1', ' There is /v1/echo.'],
    ['GET', '/echo', ''],
    ['POST', '/v1/nothing', ''],
  ])('names the path that %s %s may have meant', async (method, path, hint) => {
    const response = await fetch(url + path, { method });
    const { error } = (await response.json()) as Fault;
    expect([response.status, error.message]).toEqual([
      404,
      `Unknown request URL: ${method} ${path.split('?', 1)[0]}.${hint}`,
    ]);
  });

  it.each([
    ['an unknown path', 'GET', '/v1/nothing', 404, 'unknown_url'],
    ['a wrong method', 'GET', '/v1/echo', 405, 'method_not_allowed'],
    ['a fault of its own', 'GET', '/v1/boom', 500, 'internal_error'],
  ])('answers %s', async (_, method, path, status, code) => {
    const response = await fetch(url + path, { method });
    const text = await response.text();
    expect(response.status).toBe(status);
    expect((JSON.parse(text) as Fault).error.code).toBe(code);
    expect(text).not.toContain('secret');
    expect(response.headers.get('x-request-id')).not.toBeNull();
    if (status === 405) expect(response.headers.get('allow')).toBe('POST');
  });

  it('refuses another media type with 415', async () => {
    const response = await post('model=m', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(response.status).toBe(415);
    expect(((await response.json()) as Fault).error.code).toBe('unsupported_media_type');
  });

  it.each([
    ['too large', {}, 413],
    ['from a stranger', { authorization: 'Bearer wrong' }, 401],
  ])('tells the reason to a client in mid-upload whose body is %s', async (_, headers, status) => {
    for (let round = 0; round < 5; round += 1) {
      const response = await post('x'.repeat(20_000_000), headers);
      expect(response.status).toBe(status);
      await response.arrayBuffer();
    }
  });

  it('says when to come back, in whole seconds rounded up', async () => {
    const response = await fetch(`${url}/v1/busy`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  });

  it('refuses a wrong key before it reads the body', async () => {
    const response = await post('{not json', { authorization: 'Bearer wrong' });
    expect(response.status).toBe(401);
    expect(((await response.json()) as Fault).error.code).toBe('invalid_api_key');
  });

  it('reports each request once, with route and code but no content', async () => {
    const finished = recorder.next();
    await post('{"model":"m","input":[]}', { 'x-request-id': 'seen' });
    expect(await finished).toMatchObject({
      requestId: 'seen',
      method: 'POST',
      route: '/v1/echo',
      status: 400,
      errorCode: 'empty_array',
      aborted: false,
    });
    expect(recorder.finishedRequests).toHaveLength(1);
  });

  it.each([
    ['250', 250],
    ['0', 0],
    ['soon', undefined],
    ['-1', undefined],
    ['250, 300', undefined],
    [undefined, undefined],
  ])("takes the caller's deadline %p for one in %p ms", async (header, ms) => {
    const headers = header === undefined ? {} : { 'x-morgan-deadline-ms': header };
    const response = await fetch(`${url}/v1/deadline`, { headers });
    const { remainingMs } = (await response.json()) as { remainingMs?: number };
    if (ms === undefined) expect(remainingMs).toBeUndefined();
    else expect(remainingMs).toBeLessThanOrEqual(ms);
  });

  it('gives unknown paths one route name, so that metrics cannot grow with them', async () => {
    const finished = recorder.next();
    await fetch(`${url}/v1/${'x'.repeat(50)}`);
    expect((await finished).route).toBe('unmatched');
  });

  it('aborts the request when the client goes away in mid-answer', async () => {
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET /v1/wait HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    const finished = recorder.next();
    socket.destroy();
    await app.get(EchoController).aborted;
    expect(await finished).toMatchObject({ aborted: true, route: '/v1/wait' });
  });

  it('describes its routes with the schemas that validate them', async () => {
    const document = (await (await fetch(`${url}/docs/openapi.json`)).json()) as {
      paths: Record<string, { post?: { requestBody?: { content: Record<string, { schema: object }> } } }>;
    };
    const schema = document.paths['/v1/echo']?.post?.requestBody?.content['application/json']?.schema;
    expect(JSON.stringify(schema)).toContain('"input"');
  });
});

describe('a stop', () => {
  const response = () => new ServerResponse(new IncomingMessage(new Socket()));

  it('takes the service out of rotation first, and waits for what is in flight', async () => {
    const own = new Drain();
    expect(own.read().up).toBe(true);
    const [one, other] = [own.enter(response()), own.enter(response())];
    const stopped = own.stop({ minMs: 0, graceMs: 10_000 });
    expect(own.read().up).toBe(false);
    own.leave(one);
    own.leave(other);
    expect(await stopped).toBe(0);
  });

  it('gives up after the grace period and says what was left', async () => {
    const own = new Drain();
    own.enter(response());
    expect(await own.stop({ minMs: 0, graceMs: 5 })).toBe(1);
  });
});
