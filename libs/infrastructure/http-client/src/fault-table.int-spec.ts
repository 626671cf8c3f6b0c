import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority, freePort, waitFor } from '@morgan/testing';
import { respond, ScriptedServer, type Turn, write } from '../fixture/scripted-server.ts';
import { HttpClient } from './http-client.ts';
import type { HttpClientSettings } from './http-client.config.ts';
import { HttpClientError } from './http-client-error.ts';

const LIMIT_MS = 300;
const TOTAL_MS = 40_000;
const SHORT_TOTAL_MS = 1_000;
/** For a busy machine; far below the limits that a row must not run into. */
const BUSY_MS = 8_000;
/** undici looks at its timers twice a second. */
const COARSE_MS = 1_100;

const options = (baseUrl: string): HttpClientSettings => ({
  serviceName: 'server',
  baseUrl,
  timeout: { connectMs: BUSY_MS, readMs: LIMIT_MS, totalMs: TOTAL_MS },
  retry: { maxRetries: 2, baseDelayMs: 1 },
});

let server: ScriptedServer | undefined;
let client: HttpClient;
/** Sockets of this process that are none of ours. */
let before = 0;

async function clientOf(turns: readonly Turn[], more: Partial<HttpClientSettings> = {}): Promise<void> {
  server = new ScriptedServer(turns);
  client = new HttpClient({ ...options(`http://127.0.0.1:${await server.listen()}`), ...more });
}

/** How one call ends, and after what time. */
async function outcomeOf(call: () => Promise<unknown>) {
  const startedAt = performance.now();
  const outcome = await call().then(
    (response) => ({ response, error: undefined }),
    (error: unknown) => ({ response: undefined, error }),
  );
  return { ...outcome, tookMs: performance.now() - startedAt };
}

const openSockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

beforeEach(() => void (before = openSockets()));
afterEach(async () => {
  await client.stop(0);
  // Nothing is left of any row: no socket here, none there, no call.
  await waitFor(() => (server?.sockets.size ?? 0) === 0, { what: 'the end of all connections' });
  await server?.close();
  server = undefined;
  await waitFor(() => openSockets() <= before, { what: 'the end of all sockets' });
  expect(client.getStatus()).toMatchObject({ inFlight: 0, state: 'closed' });
});

const head = (...headers: string[]) =>
  `HTTP/1.1 200 OK\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;
const reset: Turn = (socket) => void socket.resetAndDestroy();
/** Says something every 50 ms, for as long as anybody listens. */
const drip = (first: string, rest: string): Turn => {
  return (socket) => {
    socket.write(first);
    const timer = setInterval(() => socket.write(rest), 50);
    socket.on('close', () => clearInterval(timer));
  };
};

interface Row {
  readonly name: string;
  readonly turn: Turn;
  readonly category: string;
  readonly code: string;
  readonly attempts: number;
  /** The most that the call may take. */
  readonly withinMs: number;
  readonly atLeastMs?: number;
  readonly totalMs?: number;
}

const quick = { attempts: 3, withinMs: BUSY_MS };
const rows: readonly Row[] = [
  { name: 'a reset before the headers', turn: reset, category: 'connection', code: 'reset', ...quick },
  {
    name: 'a reset after the headers',
    turn: write(head('content-length: 5'), (socket) => socket.resetAndDestroy()),
    category: 'connection',
    code: 'incomplete_body',
    ...quick,
  },
  {
    name: 'a reset in the middle of the body',
    turn: write(`${head('content-length: 5')}he`, (socket) => socket.resetAndDestroy()),
    category: 'connection',
    code: 'incomplete_body',
    ...quick,
  },
  {
    name: 'a content-length that the body does not reach',
    turn: write(`${head('content-length: 50')}hello`, (socket) => socket.end()),
    category: 'connection',
    code: 'incomplete_body',
    ...quick,
  },
  {
    name: 'stalled headers',
    turn: write('HTTP/1.1 200 OK\r\ncontent-'),
    category: 'timeout',
    code: 'first_byte_timeout',
    attempts: 3,
    atLeastMs: 3 * LIMIT_MS,
    withinMs: 3 * LIMIT_MS + BUSY_MS,
  },
  {
    name: 'a stalled body',
    turn: write(`${head('content-length: 5')}he`),
    category: 'timeout',
    code: 'body_timeout',
    attempts: 3,
    atLeastMs: 3 * LIMIT_MS,
    withinMs: 3 * (LIMIT_MS + COARSE_MS) + BUSY_MS,
  },
  {
    name: 'a slow drip that never falls silent',
    turn: drip(head('content-length: 5000'), 'x'),
    category: 'timeout',
    code: 'deadline_exceeded',
    attempts: 1,
    totalMs: SHORT_TOTAL_MS,
    atLeastMs: SHORT_TOTAL_MS,
    withinMs: SHORT_TOTAL_MS + BUSY_MS,
  },
  {
    name: 'headers that never end, slowly',
    turn: drip('HTTP/1.1 200 OK\r\n', 'x-more: 1\r\n'),
    category: 'timeout',
    code: 'first_byte_timeout',
    attempts: 3,
    atLeastMs: 3 * LIMIT_MS,
    withinMs: 3 * LIMIT_MS + BUSY_MS,
  },
  {
    name: 'headers that never end, fast',
    turn: write(`HTTP/1.1 200 OK\r\n${`x-more: ${'1'.repeat(1000)}\r\n`.repeat(100)}`),
    category: 'protocol',
    code: 'bad_response',
    ...quick,
  },
  {
    name: 'an answer that is not HTTP',
    turn: write('SSH-2.0-OpenSSH_9.2\r\n'),
    category: 'protocol',
    code: 'bad_response',
    ...quick,
  },
  {
    name: 'bad chunking',
    turn: write(`${head('transfer-encoding: chunked')}zz\r\nhello\r\n`),
    category: 'protocol',
    code: 'bad_response',
    ...quick,
  },
  {
    name: 'a chunked body that breaks off',
    turn: write(`${head('transfer-encoding: chunked')}5\r\nhel`, (socket) => socket.end()),
    category: 'connection',
    code: 'incomplete_body',
    ...quick,
  },
];

describe('what every attempt meets', () => {
  it.each(rows)('$name: $category $code', async (row) => {
    await clientOf([row.turn]);
    const { error, tookMs } = await outcomeOf(() =>
      client.post('/v1/x', { json: { a: 1 }, timeoutMs: row.totalMs }),
    );
    expect(error).toBeInstanceOf(HttpClientError);
    expect(error).toMatchObject({
      category: row.category,
      code: row.code,
      attempt: row.attempts,
      serviceName: 'server',
      retryable: row.code !== 'deadline_exceeded',
      status: undefined,
    });
    expect(server?.requests).toHaveLength(row.attempts);
    expect(tookMs).toBeGreaterThanOrEqual((row.atLeastMs ?? 0) - 5);
    expect(tookMs).toBeLessThan(row.withinMs);
  });

  it('a port where nobody listens: connection connect_refused', async () => {
    client = new HttpClient(options(`http://127.0.0.1:${await freePort()}`));
    const { error, tookMs } = await outcomeOf(() => client.get('/'));
    expect(error).toMatchObject({
      category: 'connection',
      code: 'connect_refused',
      attempt: 3,
      retryable: true,
    });
    expect(tookMs).toBeLessThan(BUSY_MS);
  });

  it('a name that does not resolve: connection dns_failed', async () => {
    client = new HttpClient(options('http://nope.invalid'));
    const { error } = await outcomeOf(() => client.get('/'));
    expect(error).toMatchObject({ category: 'connection', code: 'dns_failed', attempt: 3, retryable: true });
  });

  it.each([
    ['of an authority that is not trusted', 'localhost', false],
    ['for another name', 'elsewhere.example', true],
  ])('a certificate %s: connection tls_failed, at once', async (_, name, trusted) => {
    const authority = new CertificateAuthority('authority');
    server = new ScriptedServer([respond(200)], authority.issue(name));
    client = new HttpClient({
      ...options(`https://localhost:${await server.listen()}`),
      ...(trusted && { tls: { ca: authority.cert } }),
    });
    const { error, tookMs } = await outcomeOf(() => client.get('/'));
    expect(error).toMatchObject({ category: 'connection', code: 'tls_failed', attempt: 1, retryable: false });
    expect(server.requests).toEqual([]);
    expect(tookMs).toBeLessThan(BUSY_MS);
  });
});

describe('what the first attempt meets, before a response', () => {
  const inTwoSeconds = () => new Date(Date.now() + 2_000).toUTCString();
  /** A busy machine must not use up turns by limits that run out. */
  const timeout = { connectMs: BUSY_MS, readMs: BUSY_MS, totalMs: TOTAL_MS };
  const patientClientOf = (turns: readonly Turn[], more: Partial<HttpClientSettings> = {}) =>
    clientOf(turns, { timeout, ...more });

  it.each([
    ['503', respond(503), 0],
    ['503 with the wait in seconds', respond(503, '', ['retry-after: 1']), 1_000],
    ['429 with the wait in milliseconds', respond(429, '', ['retry-after-ms: 150']), 150],
    ['429 with the wait in seconds', respond(429, '', ['retry-after: 1']), 1_000],
    ['429 with both waits', respond(429, '', ['retry-after: 30', 'retry-after-ms: 150']), 150],
    ['429 with a date in the past', respond(429, '', ['retry-after: Fri, 01 Jan 2021 00:00:00 GMT']), 0],
    ['429 with a wait that makes no sense', respond(429, '', ['retry-after: soon']), 0],
  ])('%s', async (_, turn, waitMs) => {
    await patientClientOf([turn, respond(200)]);
    const { response, tookMs } = await outcomeOf(() => client.get('/'));
    expect(response).toMatchObject({ status: 200, attempt: 2 });
    expect(tookMs).toBeGreaterThanOrEqual(waitMs - 5);
    expect(tookMs).toBeLessThan(waitMs + BUSY_MS);
  });

  it('429 with the wait as a date', async () => {
    const turn: Turn = (socket, request) =>
      respond(429, '', [`retry-after: ${inTwoSeconds()}`])(socket, request);
    await patientClientOf([turn, respond(200)]);
    const { response, tookMs } = await outcomeOf(() => client.get('/'));
    expect(response).toMatchObject({ status: 200, attempt: 2 });
    // The date has whole seconds.
    expect(tookMs).toBeGreaterThanOrEqual(995);
    expect(tookMs).toBeLessThan(2_000 + BUSY_MS);
  });

  it('429 with a wait that the deadline does not allow: fails at once and says how long', async () => {
    await patientClientOf([respond(429, '{"error":"slow down"}', ['retry-after: 60'])]);
    const { error, tookMs } = await outcomeOf(() => client.get('/'));
    expect(error).toMatchObject({
      category: 'rate_limited',
      code: 'http_429',
      status: 429,
      attempt: 1,
      retryable: true,
      retryAfterMs: 60_000,
    });
    expect((error as HttpClientError).response?.json()).toEqual({ error: 'slow down' });
    expect(tookMs).toBeLessThan(BUSY_MS);
  });

  it.each([
    ['closed', write('', (socket) => socket.end())],
    ['reset', reset],
  ])('a kept connection that is %s under the request: repeated at once', async (_, turn) => {
    const retry = { maxRetries: 1, baseDelayMs: 60_000, jitter: false };
    await patientClientOf([respond(200), turn, respond(200, 'again')], { retry });
    await client.get('/');
    await waitFor(() => client.getStatus().pool.free === 1, { what: 'the connection back in the pool' });
    const { response, tookMs } = await outcomeOf(() => client.post('/', { json: 1 }));
    expect(response).toMatchObject({ status: 200, attempt: 2 });
    expect(tookMs).toBeLessThan(BUSY_MS);
    expect(server?.accepted).toBe(2);
  });

  it('several kept connections that are all closed under a request: repeated over none of them', async () => {
    const held: Socket[] = [];
    const hold: Turn = (socket, request) => {
      if (held.push(socket) === 3) for (const each of held) respond(200)(each, request);
    };
    await patientClientOf([hold], { retry: { maxRetries: 1 } });
    const kept = server as ScriptedServer;
    await Promise.all([1, 2, 3].map(() => client.get('/')));
    await waitFor(() => client.getStatus().pool.free === 3, { what: 'the connections back in the pool' });
    kept.turns = [(socket, request) => (held.includes(socket) ? reset : respond(200))(socket, request)];
    expect(await client.post('/', { json: 1 })).toMatchObject({ status: 200, attempt: 2 });
    expect(kept.accepted).toBe(4);
  });

  it('a kept connection that is closed under a request that must not be repeated', async () => {
    await patientClientOf([respond(200), reset, respond(200)]);
    await client.get('/');
    await waitFor(() => client.getStatus().pool.free === 1, { what: 'the connection back in the pool' });
    const { error } = await outcomeOf(() => client.post('/', { json: 1, idempotent: false }));
    expect(error).toMatchObject({ code: 'reset', attempt: 1 });
    expect(server?.requests).toHaveLength(2);
  });
});
