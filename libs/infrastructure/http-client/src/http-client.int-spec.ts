import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AppError, Deadline } from '@morgan/foundation';
import { waitFor } from '@morgan/testing';
import { codeOf, hang, openClient } from '../fixture/open-client.ts';
import { respond, type ScriptedServer, type Turn, write } from '../fixture/scripted-server.ts';
import { HttpClient } from './http-client.ts';
import { HttpClientError } from './http-client-error.ts';

let server: ScriptedServer;
let client: HttpClient;

async function clientOf(...given: Parameters<typeof openClient>): Promise<void> {
  ({ server, client } = await openClient(...given));
}

const headersOf = (request: string) =>
  Object.fromEntries(
    request
      .slice(0, request.indexOf('\r\n\r\n'))
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string]),
  );

afterEach(async () => {
  await client.stop(0);
  await server.close();
});

describe('a request', () => {
  it.each(['get', 'post', 'put', 'patch', 'delete'] as const)('%s', async (method) => {
    await clientOf([respond(200, '{"a":1}', ['content-type: application/json', 'x-two: 1', 'x-two: 2'])]);
    const response = await client[method]('/v1/x');
    expect(server.requests[0]).toMatch(new RegExp(`^${method.toUpperCase()} /v1/x HTTP/1.1\r\n`));
    expect(response).toMatchObject({ status: 200, serviceName: 'server', attempt: 1 });
    expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'x-two': ['1', '2'] });
    expect([response.body, response.text(), response.json()]).toEqual([
      Buffer.from('{"a":1}'),
      '{"a":1}',
      { a: 1 },
    ]);
  });

  it.each([200, 400])(
    'gets a response of %d that is compressed unasked without its compression',
    async (status) => {
      const body = gzipSync('{"a":"é"}').toString('latin1');
      const head = `HTTP/1.1 ${status} X\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`;
      await clientOf([(socket) => socket.write(head + body, 'latin1')]);
      const response = await client.get('/v1/x').catch((error: HttpClientError) => error.response);
      expect(response?.json()).toEqual({ a: 'é' });
      expect(response?.headers).not.toHaveProperty('content-encoding');
    },
  );

  it('has a limit that counts what a compressed response unfolds to', async () => {
    const body = gzipSync(Buffer.alloc(100_000)).toString('latin1');
    const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`;
    await clientOf([(socket) => socket.write(head + body, 'latin1')], { maxResponseBytes: 50_000 });
    expect(await codeOf(client.get('/v1/x'))).toBe('too_large');
  });

  it('has the path of the base URL in front, the query behind, JSON in it and the headers of client and call', async () => {
    await clientOf(
      [respond(200)],
      { headers: { Authorization: 'Bearer key', 'X-Both': 'client' } },
      '/base/',
    );
    const query = { q: 'ä b', list: ['1', 2], none: undefined, yes: true };
    await client.post('x?fixed=1', {
      json: { a: 'é' },
      query,
      headers: { 'X-BOTH': 'call' },
      requestId: 'id-1',
    });
    const [request = ''] = server.requests;
    expect(request).toMatch(/^POST \/base\/x\?fixed=1&q=%C3%A4\+b&list=1&list=2&yes=true HTTP/);
    expect(headersOf(request)).toMatchObject({
      authorization: 'Bearer key',
      'x-both': 'call',
      'content-type': 'application/json',
      'content-length': '10',
      'x-request-id': 'id-1',
    });
    expect(Buffer.from(request.slice(request.indexOf('\r\n\r\n') + 4), 'latin1').toString()).toBe(
      '{"a":"é"}',
    );
  });

  it('says in a header how much time is left, less with each attempt', async () => {
    const late: Turn = (socket, request) => void setTimeout(() => respond(503)(socket, request), 30);
    await clientOf([late, respond(200)], { timeout: { totalMs: 9_000 } });
    await client.get('/');
    const [first, second] = server.requests.map((request) => Number(headersOf(request)[Deadline.HEADER]));
    expect(first).toBeLessThanOrEqual(9_000);
    expect(first).toBeGreaterThan(8_000);
    expect(second).toBeLessThanOrEqual((first as number) - 29);
  });

  it.each<[string, (one: HttpClient) => Promise<unknown>, string]>([
    ['a whole URL', (one) => one.get('http://elsewhere/x'), 'The path is a whole URL.'],
    ['two bodies', (one) => one.post('/', { json: {}, body: 'x' }), 'There is both `json` and `body`.'],
    ['the URL of another host', (one) => one.get('//elsewhere/x'), 'The path is a whole URL.'],
    [
      'a value that is no JSON',
      (one) => one.post('/', { json: 1n }),
      'The value cannot be expressed in JSON.',
    ],
    ['a path that HTTP does not allow', (one) => one.get('/a b'), 'The request is not valid HTTP.'],
    [
      'a header that HTTP does not allow',
      (one) => one.get('/', { headers: { a: 'b\nc' } }),
      'The request is not valid HTTP.',
    ],
  ])('cannot have %s', async (_, call, message) => {
    await clientOf([respond(200)]);
    await expect(call(client)).rejects.toMatchObject({
      category: 'invalid_request',
      message,
      retryable: false,
    });
    expect(server.requests).toEqual([]);
    expect(client.getStatus().circuitBreaker.counts.failure).toBe(0);
  });
});

describe('a response', () => {
  it.each([
    [400, 'client_error', 1],
    [404, 'client_error', 1],
    [408, 'timeout', 4],
    [425, 'server_error', 4],
    [429, 'rate_limited', 4],
    [500, 'server_error', 4],
    [503, 'server_error', 4],
  ])('of %i is the error %s, after %i attempts, and can be read', async (status, category, attempt) => {
    await clientOf([respond(status, '{"error":{"message":"why"}}')]);
    const error = (await client.get('/').catch((reason: unknown) => reason)) as HttpClientError;
    expect(error).toBeInstanceOf(HttpClientError);
    expect(error).toMatchObject({
      category,
      code: `http_${status}`,
      status,
      attempt,
      retryable: attempt > 1,
    });
    expect(error.message).toBe(`server answered ${status}.`);
    expect(error.response?.json()).toEqual({ error: { message: 'why' } });
    // Loggers print properties: what the host said is none of theirs.
    expect(JSON.stringify(error)).not.toContain('why');
  });

  it('of 3xx is not followed', async () => {
    await clientOf([respond(307, '', ['location: /other'])]);
    expect(await client.get('/')).toMatchObject({ status: 307, headers: { location: '/other' } });
  });

  it('is JSON behind a byte order mark, too', async () => {
    await clientOf([respond(200, '\uFEFF{"a":1}')]);
    expect((await client.get('/')).json()).toEqual({ a: 1 });
  });

  it('that is not JSON is an error which does not quote it', async () => {
    await clientOf([respond(200, 'secret text')]);
    const response = await client.get('/');
    const error = await Promise.resolve()
      .then(() => response.json())
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'invalid_response', category: 'protocol', status: 200 });
    expect(String((error as Error).stack)).not.toContain('secret');
  });

  it.each([
    ['announced', respond(200, 'x'.repeat(2_000))],
    [
      'met on the way',
      write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n${'x'.repeat(2_000)}\r\n`),
    ],
  ])('above the limit is not read, %s', async (_, turn) => {
    await clientOf([turn], { maxResponseBytes: 1_000 });
    await expect(client.get('/')).rejects.toMatchObject({
      code: 'too_large',
      status: undefined,
      attempt: 1,
    });
    await waitFor(() => client.getStatus().pool.running === 0, { what: 'the end of the request' });
    expect(client.getStatus().circuitBreaker.counts).toMatchObject({ failure: 0 });
  });

  it('that is an error and above the limit is still that error', async () => {
    await clientOf([respond(400, 'x'.repeat(2_000))], { maxResponseBytes: 1_000 });
    await expect(client.get('/')).rejects.toMatchObject({ code: 'http_400' });
  });

  it('of an attempt that is repeated gives its connection back, however large it is', async () => {
    const large = respond(503, 'x'.repeat(1_000_000));
    await clientOf([large, large, respond(200)], { pool: { maxConnections: 1 } });
    expect(await client.get('/')).toMatchObject({ status: 200, attempt: 3 });
  });
});

describe('a streamed response', () => {
  const chunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`;
  const streamHead =
    'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

  it('comes as it arrives, after a failed attempt, and counts when it has ended', async () => {
    await clientOf([respond(503), write(streamHead + chunk('one'))]);
    const { status, attempt, body } = await client.stream('POST', '/', { json: {} });
    expect([status, attempt]).toEqual([200, 2]);
    expect(client.getStatus()).toMatchObject({ inFlight: 1, requests: 0 });
    const [first] = (await once(body, 'data')) as [Buffer];
    expect(first.toString()).toBe('one');
    for (const socket of server.sockets) socket.write(`${chunk('two')}0\r\n\r\n`);
    expect(await text(body)).toBe('two');
    expect(client.getStatus()).toMatchObject({ inFlight: 0, requests: 1, errors: 0 });
  });

  it('that breaks off breaks the body with an error of the client', async () => {
    await clientOf([write(streamHead + chunk('one'), (socket) => socket.destroy())]);
    const { body } = await client.stream('GET', '/');
    await expect(text(body)).rejects.toMatchObject({
      category: 'connection',
      code: 'incomplete_body',
      attempt: 1,
    });
    expect(client.getStatus()).toMatchObject({ errors: 1, errorsByCategory: { connection: 1 } });
  });

  it('that is broken in the same breath as it begins is over too', async () => {
    await clientOf([write(`${streamHead}zz\r\n`)]);
    const { body } = await client.stream('GET', '/');
    await expect(text(body)).rejects.toMatchObject({ category: 'protocol', code: 'bad_response' });
    expect(client.getStatus()).toMatchObject({ inFlight: 0, errorsByCategory: { protocol: 1 } });
  });

  it('may take longer than the call, but not longer than its deadline', async () => {
    await clientOf([write(streamHead + chunk('one'))], { timeout: { totalMs: 200 } });
    const [free, bound] = await Promise.all([
      client.stream('GET', '/'),
      client.stream('GET', '/', { deadline: Deadline.after(400) }),
    ]);
    const startedAt = performance.now();
    await expect(text(bound.body)).rejects.toMatchObject({ category: 'timeout', code: 'deadline_exceeded' });
    expect(performance.now() - startedAt).toBeGreaterThan(300);
    expect(free.body.destroyed).toBe(false);
    free.body.destroy();
  });

  it('ends at once where its deadline passes while its beginning is looked at', async () => {
    const deadline = Deadline.after(300);
    const assess = () => {
      while (!deadline.passed);
      return { verdict: 'success', overloaded: false } as const;
    };
    // The signal that this policy gives the request ends with the policy.
    await clientOf([write(streamHead + chunk('one'))], { timeout: { adaptive: {} } }, '', { assess });
    const { body } = await client.stream('GET', '/', { deadline });
    await expect(text(body)).rejects.toMatchObject({ category: 'timeout', code: 'deadline_exceeded' });
    // Not only with the time-out of a silent body, 30 s later.
    expect(deadline.allows(-5_000)).toBe(true);
    expect(client.getStatus()).toMatchObject({ inFlight: 0, errorsByCategory: { timeout: 1 } });
  });

  it.each([
    ['plain', {}],
    [
      'with policies that bring signals of their own',
      { hedge: { delayMs: 5_000 }, timeout: { adaptive: {} } },
    ],
  ])("ends with its caller's abort, %s", async (_, options) => {
    await clientOf([write(streamHead + chunk('one'))], options);
    const caller = new AbortController();
    const { body } = await client.stream('GET', '/', { signal: caller.signal });
    const abortedAt = performance.now();
    caller.abort();
    await expect(text(body)).rejects.toMatchObject({ category: 'cancelled', code: 'aborted' });
    // Not only with the time-out of a silent body, 30 s later.
    expect(performance.now() - abortedAt).toBeLessThan(5_000);
    await waitFor(() => server.sockets.size === 0, { what: 'the end of the connection' });
    expect(client.getStatus()).toMatchObject({ errors: 0, errorsByCategory: { cancelled: 1 }, errorRate: 0 });
  });

  it('is as fast as it began', async () => {
    await clientOf([write(streamHead, (socket) => void setTimeout(() => socket.write('0\r\n\r\n'), 100))]);
    const startedAt = performance.now();
    const { body } = await client.stream('GET', '/');
    const begunMs = performance.now() - startedAt;
    await text(body);
    expect(client.getStatus().latency?.p50Ms).toBeLessThanOrEqual(begunMs);
  });

  it("may be given up by its reader, which is nobody's fault", async () => {
    await clientOf([write(streamHead + chunk('one'))]);
    const { body } = await client.stream('GET', '/');
    body.destroy();
    await once(body, 'close');
    expect(client.getStatus()).toMatchObject({ inFlight: 0, errors: 0, errorsByCategory: { cancelled: 1 } });
  });

  it('of 400 and above is an error that can be read', async () => {
    await clientOf([respond(404, 'nothing here')]);
    const error = (await client.stream('GET', '/').catch((reason: unknown) => reason)) as HttpClientError;
    expect([error.code, error.response?.text()]).toEqual(['http_404', 'nothing here']);
  });
});

describe('a check of the response', () => {
  const check = (response: { text(): string }) => {
    if (response.text() !== 'good') throw new AppError('host_error', 'The answer is of no use.');
  };

  it('that throws is a failure of the attempt, and the next one may be better', async () => {
    await clientOf([respond(200, 'bad'), respond(200, 'good')]);
    expect(await client.get('/', { check })).toMatchObject({ attempt: 2, status: 200 });
  });

  it('ends the call with its error as the cause, and opens the circuit where that is all that comes', async () => {
    const options = { retry: { maxRetries: 0 }, circuitBreaker: { failureThreshold: 2 } };
    await clientOf([respond(200, 'bad')], options);
    for (let call = 0; call < 2; call += 1)
      await expect(client.get('/', { check })).rejects.toMatchObject({
        code: 'host_error',
        category: 'server_error',
        message: 'The answer is of no use.',
        cause: { name: 'AppError' },
      });
    expect(await codeOf(client.get('/', { check }))).toBe('circuit_open');
  });

  it('about the request says nothing about the service', async () => {
    await clientOf([respond(200, 'bad')], { circuitBreaker: { failureThreshold: 1 } });
    const refuse = () => {
      throw new AppError('invalid_value', 'This was asked for wrongly.');
    };
    for (let call = 0; call < 2; call += 1)
      expect(await codeOf(client.get('/', { check: refuse }))).toBe('invalid_value');
    expect(server.requests).toHaveLength(2);
  });
});

describe('a look at a refusal', () => {
  const refused = (response: { text(): string }) => {
    if (response.text() === 'too long') throw new AppError('invalid_value', 'The text is too long.');
  };

  it('fails the attempt with what it throws, else with the response', async () => {
    await clientOf([respond(500, 'too long'), respond(404, 'nothing here')]);
    expect(await codeOf(client.post('/', { refused }))).toBe('invalid_value');
    const error = (await client.post('/', { refused }).catch((reason: unknown) => reason)) as HttpClientError;
    expect([error.code, error.response?.text()]).toEqual(['http_404', 'nothing here']);
    expect(server.requests).toHaveLength(2);
  });

  it('is taken at an error that came with a good status, as if it had the one that it stands for', async () => {
    const statusWithin = (response: { text(): string }) => Number(response.text()) || undefined;
    await clientOf([respond(200, '404'), respond(200, '503'), respond(200, 'good')]);
    const seen: number[] = [];
    const look = { statusWithin, refused: ({ status }: { status: number }) => void seen.push(status) };
    expect(await codeOf(client.post('/', look))).toBe('http_404');
    expect(await client.post('/', look)).toMatchObject({ status: 200, attempt: 2 });
    expect(seen).toEqual([404, 503]);
  });

  it('lets the circuit go by what the service has said', async () => {
    await clientOf([respond(404, 'nothing here')]);
    const { serviceName, baseUrl } = client.getStatus();
    await using other = new HttpClient({
      serviceName,
      baseUrl,
      circuitBreaker: { failureThreshold: 1 },
      assess: (ending) => {
        const response = 'error' in ending && (ending.error as HttpClientError).response;
        const isGone = response && response.text() === 'nothing here';
        return { verdict: isGone ? 'failure' : 'success', overloaded: false };
      },
    });
    expect(await codeOf(other.get('/', { refused }))).toBe('http_404');
    expect(other.getStatus().circuitBreaker.state).toBe('OPEN');
  });
});

describe('a streamed request', () => {
  it('goes out as it comes', async () => {
    await clientOf([hang]);
    const call = client.post('/', {
      body: Readable.from(['a', 'b']),
      headers: { 'content-type': 'text/plain' },
    });
    await waitFor(() => server.requests.join('').endsWith('0\r\n\r\n'), { what: 'the whole request' });
    expect(server.requests.join('')).toContain('1\r\na\r\n1\r\nb\r\n0\r\n\r\n');
    for (const socket of server.sockets) respond(200)(socket, '');
    expect((await call).status).toBe(200);
  });

  it('is tried once', async () => {
    await clientOf([respond(503)]);
    await expect(client.post('/', { body: Readable.from(['a']) })).rejects.toMatchObject({
      code: 'http_503',
      attempt: 1,
    });
  });
});

describe('a call', () => {
  it('ends at once when its caller gives it up, whatever it is waiting for', async () => {
    await clientOf([respond(503), hang], { retry: { baseDelayMs: 60_000, jitter: false } });
    const caller = new AbortController();
    const waiting = codeOf(client.get('/', { signal: caller.signal }));
    await waitFor(() => client.getStatus().retry.attempts.server_error === 1, {
      what: 'the wait between attempts',
    });
    const asking = codeOf(client.get('/', { signal: caller.signal }));
    await waitFor(() => server.requests.length === 2, { what: 'the second request' });
    caller.abort();
    expect(await Promise.all([waiting, asking])).toEqual(['client_closed_request', 'client_closed_request']);
    expect(client.getStatus()).toMatchObject({ errors: 0, inFlight: 0, requests: 2 });
    await waitFor(() => server.sockets.size === 1, { what: 'the end of the connection that was asked' });
  });

  it('is not made for a caller who has gone', async () => {
    await clientOf([respond(200)]);
    expect(await codeOf(client.get('/', { signal: AbortSignal.abort() }))).toBe('client_closed_request');
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['its own time', { timeoutMs: 50 }],
    ['its deadline', { deadline: Deadline.after(50) }],
  ])('is over when %s is', async (_, limits) => {
    await clientOf([hang]);
    await expect(client.get('/', limits)).rejects.toMatchObject({
      category: 'timeout',
      code: 'deadline_exceeded',
    });
  });

  it('never spends more than its budget on repeating', async () => {
    await clientOf([respond(503)], {
      retry: { baseDelayMs: 1, budget: { ratio: 0.2, minPerSecond: 0.5 } },
      circuitBreaker: { failureThreshold: 1_000 },
    });
    for (let call = 0; call < 50; call += 1) await codeOf(client.get('/'));
    // A fifth of the calls, and half a request a second of the ten seconds' window.
    expect(server.requests.length).toBeLessThanOrEqual(50 + 10 + 5);
    expect(server.requests.length).toBeGreaterThanOrEqual(50 + 10);
  });
});

describe('an option', () => {
  it.each([
    ['unknown', { retries: 3 }],
    ['out of its bounds', { retry: { maxRetries: -1 } }],
    ['no URL', { baseUrl: 'example.com' }],
    ['of another scheme', { baseUrl: 'ftp://example.com' }],
  ])('that is %s is refused at once', (_, options) => {
    expect(() => new HttpClient({ serviceName: 'a', baseUrl: 'http://a', ...options })).toThrow();
  });
});
