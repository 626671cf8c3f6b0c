import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { connect } from 'node:net';
import { type FakeLlmHost, startFakeLlmHost } from './fake-llm-host.ts';
import type { Fault } from './fault.ts';

const TEN = 'a b c d e f g h i j';
const body = (fields: object = {}) =>
  JSON.stringify({ model: 'simulated', messages: [{ role: 'user', content: 'hi' }], ...fields });

let host: FakeLlmHost;

beforeEach(async () => {
  host = await startFakeLlmHost({ answer: TEN });
});

afterEach(() => host.close());

function post(fields?: object, init: RequestInit = {}): Promise<Response> {
  return fetch(`${host.url}/chat/completions`, { method: 'POST', body: body(fields), ...init });
}

/** Sends a request and returns every byte that comes until the host closes the connection, and how it did that. */
function rawBytes(fields: object): Promise<{ text: string; error: string | undefined }> {
  const { port, hostname } = new URL(host.url);
  const payload = body(fields);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    let error: string | undefined;
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', (failure: NodeJS.ErrnoException) => (error = failure.code));
    socket.on('close', () => resolve({ text, error }));
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${payload.length}\r\n\r\n${payload}`,
    );
  });
}

const codeOf = (failure: Promise<unknown>) =>
  failure.then(
    () => 'no failure',
    (error: Error) => (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.name,
  );

describe('faults happen on the socket', () => {
  it('answers with the status, in the envelope or as told', async () => {
    await host.setFault({ kind: 'status', status: 503 });
    const plain = await post();
    expect(plain.status).toBe(503);
    expect(await plain.json()).toMatchObject({ error: { type: 'server_error' } });

    await host.setFault({ kind: 'status', status: 429, body: 'later', headers: { 'retry-after': '7' } });
    const told = await post();
    expect([told.status, told.headers.get('retry-after'), await told.text()]).toEqual([429, '7', 'later']);
  });

  it('refuses connections, cuts those it has, and comes back on the same port', async () => {
    await host.setFault({ kind: 'stall-before-headers' });
    const pending = codeOf(post());
    await host.nextRequest();
    const { url } = host;
    await host.setFault({ kind: 'refuse' });
    expect(await pending).toBe('UND_ERR_SOCKET');
    expect(await codeOf(post())).toBe('ECONNREFUSED');
    await host.setFault(undefined);
    expect(host.url).toBe(url);
    expect((await post()).status).toBe(200);
  });

  it('can refuse from its start', async () => {
    await using dead = await startFakeLlmHost({ fault: { kind: 'refuse' } });
    expect(await codeOf(fetch(`${dead.url}/models`))).toBe('ECONNREFUSED');
  });

  it('resets the connection once it has the request', async () => {
    await host.setFault({ kind: 'reset-before-headers' });
    expect(await rawBytes({})).toEqual({ text: '', error: 'ECONNRESET' });
    expect(host.requests).toHaveLength(1);
  });

  it('answers with something that is not HTTP', async () => {
    await host.setFault({ kind: 'bad-http' });
    expect((await rawBytes({})).text).toContain('this is not HTTP');
  });

  it('never answers, and notices when the client gives up', async () => {
    await host.setFault({ kind: 'stall-before-headers' });
    const giveUp = new AbortController();
    const answer = codeOf(post({}, { signal: giveUp.signal }));
    const received = await host.nextRequest();
    expect(received.aborted).toBe(false);
    giveUp.abort();
    await received.whenAborted();
    expect(received.aborted).toBe(true);
    expect(await answer).toBe('AbortError');
  });

  it.each([0, 1, 3])('cuts a stream after %i chunks', async (afterChunks) => {
    await host.setFault({ kind: 'cut-in-stream', afterChunks });
    const { text } = await rawBytes({ stream: true });
    expect(text).toContain('content-type: text/event-stream');
    expect(text.match(/data: /g) ?? []).toHaveLength(afterChunks);
    expect(text).not.toContain('\r\n0\r\n');
  });

  it('stalls in a stream until the client goes away', async () => {
    await host.setFault({ kind: 'stall-in-stream', afterChunks: 2 });
    const giveUp = new AbortController();
    const response = await post({ stream: true }, { signal: giveUp.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    while ((text.match(/data: /g) ?? []).length < 2)
      text += Buffer.from((await reader.read()).value ?? []).toString();
    const received = await host.nextRequest();
    giveUp.abort();
    await expect(received.whenAborted()).resolves.toBeGreaterThan(received.receivedAt);
    expect(text).not.toContain('DONE');
  });

  it('cuts an answer that is not streamed in its middle', async () => {
    await host.setFault({ kind: 'cut-in-stream', afterChunks: 1 });
    const { text } = await rawBytes({});
    const [head = '', half = ''] = text.split('\r\n\r\n');
    const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
    expect(half.length).toBe(Math.floor(length / 2));
  });

  it('is slow, then answers', async () => {
    await host.setFault({ kind: 'slow', delayMs: 60 });
    const start = performance.now();
    expect((await post()).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThanOrEqual(59);
  });

  it('spares health probes and recovers when the fault was for a number of requests', async () => {
    const fault: Fault = { kind: 'status', status: 500, times: 2 };
    await host.setFault(fault);
    expect((await fetch(`${host.url}/models`)).status).toBe(200);
    const statuses = [await post(), await post(), await post()].map(({ status }) => status);
    expect(statuses).toEqual([500, 500, 200]);
  });
});

describe('pace', () => {
  it('takes its time to the first token and between tokens', async () => {
    await using slow = await startFakeLlmHost({
      answer: TEN,
      timeToFirstTokenMs: 50,
      tokensPerSecond: 200,
    });
    const start = performance.now();
    const response = await fetch(`${slow.url}/chat/completions`, {
      method: 'POST',
      body: body({ stream: true }),
    });
    expect(performance.now() - start).toBeGreaterThanOrEqual(30);
    expect(await response.text()).toContain('[DONE]');
    // Role, ten tokens, finish: eleven intervals of 5 ms.
    expect(performance.now() - start).toBeGreaterThanOrEqual(104);
  });

  it('takes as long for an answer that is not streamed', async () => {
    await using slow = await startFakeLlmHost({ answer: TEN, tokensPerSecond: 200 });
    const start = performance.now();
    await fetch(`${slow.url}/chat/completions`, { method: 'POST', body: body() });
    expect(performance.now() - start).toBeGreaterThanOrEqual(30);
  });

  it('notices that the client went away', async () => {
    await using endless = await startFakeLlmHost({ answer: 'x '.repeat(100_000), tokensPerSecond: 1000 });
    const sent = request(`${endless.url}/chat/completions`, { method: 'POST' });
    sent.end(body({ stream: true }));
    const response = await new Promise<NodeJS.ReadableStream>((resolve) => sent.once('response', resolve));
    await new Promise((resolve) => response.once('data', resolve));
    const received = await endless.nextRequest();
    sent.on('error', () => undefined).destroy();
    await received.whenAborted();
  });
});

describe('records', () => {
  it('keeps what arrived, byte for byte, and who stayed to the end', async () => {
    const text = '{"model":"simulated",  "messages":[{"role":"user","content":"ü"}], "custom": 1.0}';
    const response = await fetch(`${host.url}/chat/completions?x=1`, {
      method: 'POST',
      body: text,
      headers: { 'x-own': 'yes' },
    });
    expect(response.headers.get('x-simulated-host')).toBe('simulated');
    await response.text();
    const received = await host.nextRequest();
    expect(received.body).toEqual(Buffer.from(text));
    expect(received).toMatchObject({
      method: 'POST',
      path: '/v1/chat/completions?x=1',
      json: { custom: 1 },
      headers: { 'x-own': 'yes' },
    });
    await expect(received.whenAborted()).rejects.toThrow('stayed for the whole answer');
  });

  it('hands each POST out once, in order, also before it came', async () => {
    const early = host.nextRequest();
    await fetch(`${host.url}/models`);
    await post({ user: 'first' });
    await post({ user: 'second' });
    expect((await early).json).toMatchObject({ user: 'first' });
    expect((await host.nextRequest()).json).toMatchObject({ user: 'second' });
    expect(host.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'POST']);
  });

  it('forgets the oldest', async () => {
    await using small = await startFakeLlmHost({ recordLimit: 2 });
    for (const path of ['a', 'b', 'c']) await fetch(`${small.url}/${path}`);
    expect(small.requests.map(({ path }) => path)).toEqual(['/v1/b', '/v1/c']);
  });
});

it('says which port is taken', async () => {
  const port = Number(new URL(host.url).port);
  await expect(startFakeLlmHost({ port })).rejects.toMatchObject({ code: 'EADDRINUSE', port });
});
