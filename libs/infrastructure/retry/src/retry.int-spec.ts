import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type CallContext, compose, Deadline, type Policy } from '@morgan/foundation';
import { HttpTransport } from '@morgan/http-transport';
import { listen, type LocalServer } from '@morgan/testing';
import { DeadlinePolicy } from './deadline.policy.ts';
import { RetryBudget } from './retry-budget.ts';
import { type RepeatableContext, RetryPolicy } from './retry.policy.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
const ok: Answer = (response) => response.end('ok');
const status =
  (code: number, headers = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end();
const reset: Answer = (_, request) => request.socket.resetAndDestroy();
const stall: Answer = () => undefined;

describe('a retry over real sockets', () => {
  let transport: HttpTransport;
  let server: LocalServer;
  let origin: string;
  let answers: Answer[];
  let requests: (string | undefined)[];
  const retry = new RetryPolicy({ budget: new RetryBudget(), baseDelayMs: 5 });

  beforeEach(async () => {
    requests = [];
    transport = new HttpTransport({ maxConnections: 4, connectTimeoutMs: 5_000, keepAliveTimeoutMs: 4000 });
    server = await listen((request, response) => {
      requests.push(request.headers[Deadline.HEADER] as string | undefined);
      (answers.shift() ?? ok)(response, request);
    });
    ({ origin } = server);
  });

  afterEach(async () => {
    await transport.close(0);
    await server.close();
  });

  const send = async ({ signal, deadline }: CallContext) => {
    const response = await transport.request({
      origin,
      path: '/',
      method: 'POST',
      headers: deadline ? [Deadline.HEADER, deadline.toHeader()] : [],
      body: Buffer.from('{}'),
      signal,
      firstByteTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
    });
    const body = await response.bytes();
    if (response.status < 400) return body.toString();
    throw Object.assign(new Error('refused'), { status: response.status, headers: response.headers });
  };
  const call = (policy: Policy, more: Partial<RepeatableContext> = {}) => {
    const context = { id: 'call', signal: new AbortController().signal, ...more };
    return policy.execute(send, context);
  };

  it('hides 503s and a reset', async () => {
    answers = [status(503), reset, status(500)];
    expect(await call(retry)).toBe('ok');
    expect(requests).toHaveLength(4);
  });

  it('waits as long as the response asks', async () => {
    answers = [status(429, { 'retry-after-ms': '120' }), status(429, { 'retry-after': '0.1' })];
    const start = performance.now();
    expect(await call(retry)).toBe('ok');
    expect(performance.now() - start).toBeGreaterThan(215);
  });

  it('does not wait beyond the deadline', async () => {
    answers = [status(429, { 'retry-after': '60' })];
    const deadline = Deadline.after(30_000);
    await expect(call(retry, { deadline })).rejects.toMatchObject({ status: 429 });
    expect(deadline.passed).toBe(false);
  });

  it('repeats what is not idempotent where nobody listens, and not after a reset', async () => {
    answers = [reset];
    await expect(call(retry, { idempotent: false })).rejects.toMatchObject({ reason: 'reset' });
    expect(requests).toHaveLength(1);
    await server.close();
    const before = retry.getStatus().attempts.connection;
    await expect(call(retry, { idempotent: false })).rejects.toMatchObject({ reason: 'connect_refused' });
    expect(retry.getStatus().attempts.connection - before).toBe(4);
  });

  it('ends an attempt at a host that stalls by the deadline, and tells the host of it', async () => {
    answers = [status(503), stall];
    const bounded = compose(new DeadlinePolicy({ timeoutMs: 1_000 }), retry);
    const closed = once(server.server, 'connection').then(([socket]) => once(socket as Socket, 'close'));
    await expect(call(bounded)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    const [first, second] = requests.map(Number) as [number, number];
    expect(first).toBeLessThanOrEqual(1_000);
    expect(second).toBeLessThanOrEqual(first);
    expect(second).toBeGreaterThan(200);
    await closed;
  });
});
