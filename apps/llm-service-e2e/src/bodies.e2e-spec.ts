import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type FakeLlmHost, startFakeLlmHost } from '@morgan/fake-llm-host';
import { costOf, listen, postJson, type RunningService, startService, waitFor } from '@morgan/testing';

const MIB = 1024 * 1024;

/** What the manifests give a pod of this service. */
const POD_BYTES = 512 * MIB;

let host: FakeLlmHost;
let gateway: RunningService;

beforeAll(async () => {
  host = await startFakeLlmHost({ name: 'one' });
  gateway = await startService({
    app: 'llm-service',
    env: { LLM_HOSTS: `one=${host.url}`, READ_STALL_TIMEOUT_MS: '500' },
    config: { llmService: { upstream: { circuitBreaker: { failureThreshold: 1_000_000 } } } },
  });
});

afterEach(() => host.setFault(undefined));
afterAll(async () => {
  await gateway.stop();
  await host.close();
});

const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
  postJson(`${gateway.url}/v1/chat/completions`, body, headers);
const chat = (content: string) =>
  JSON.stringify({ model: 'simulated', messages: [{ role: 'user', content }] });
const figure = async (name: string): Promise<number> => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:{[^}]*})? ([\\d.e+]+)`, 'm').exec(text)?.[1] ?? 0);
};
const residentBytes = () => figure('process_resident_memory_bytes');
const heldBytes = () => figure('morgan_http_body_bytes');

/** Asks on a connection of its own, and reads nothing of the answer. */
async function askWithoutReading(stream: boolean): Promise<Socket> {
  const body = JSON.stringify({ ...(JSON.parse(chat('a lot')) as object), stream });
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

describe('a body made of faults', () => {
  it.each([
    ['wrong messages', `{"model":"m","messages":[${'0,'.repeat(6_000_000)}0]}`],
    ['empty messages', `{"model":"m","messages":[${'{},'.repeat(4_000_000)}{}]}`],
    ['wrong messages within the limits', `{"model":"m","messages":[${'"wrong text",'.repeat(900_000)}0]}`],
    ['endless nesting', '['.repeat(12_000_000)],
  ])('such as %s costs neither time nor memory', async (_, body) => {
    const { response, ...cost } = await costOf(gateway, () => post(body));
    expect(response.status).toBe(400);
    expect(cost.seconds).toBeLessThan(1);
    expect(cost.livezSeconds).toBeLessThan(0.3);
    expect(cost.grownBytes).toBeLessThan(250 * MIB);
  });
});

describe('a large body', () => {
  it.each([
    ['of one image', chat(`data:image/png;base64,${'A'.repeat(25 * MIB)}`)],
    [
      'of 100,000 messages',
      JSON.stringify({
        model: 'simulated',
        messages: Array.from({ length: 100_000 }, (_, index) => ({
          role: 'user',
          content: `number ${index}`,
        })),
      }),
    ],
  ])('%s passes byte for byte and holds up nobody', async (_, body) => {
    await host.setFault({ kind: 'status', status: 200, body: '{"choices":[{}]}' });
    const { response, ...cost } = await costOf(gateway, () => post(body));
    expect(response.status).toBe(200);
    expect(host.calls.at(-1)?.body.equals(Buffer.from(body))).toBe(true);
    expect(cost.seconds).toBeLessThan(1);
    expect(cost.livezSeconds).toBeLessThan(0.3);
    await waitFor(async () => (await heldBytes()) === 0, { what: 'the release of the body' });
  });

  it('in a flood of its like stays within the memory of a pod, and small calls get through', async () => {
    await host.setFault({ kind: 'stall-before-headers' });
    const body = chat('x'.repeat(30 * MIB));
    const leave = new AbortController();
    const calls = Array.from({ length: 8 }, () =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
        signal: leave.signal,
      }).then(
        ({ status, headers }) => [status, Number(headers.get('retry-after'))] as const,
        () => [0, 0] as const,
      ),
    );
    const settled: (readonly [number, number])[] = [];
    for (const call of calls) void call.then((outcome) => settled.push(outcome));
    await waitFor(() => settled.length === 4, { what: 'four refusals', timeoutMs: 40_000 });
    for (const [status, retryAfter] of settled) {
      expect(status).toBe(503);
      expect(retryAfter).toBeGreaterThan(0);
    }
    const held = 4 * Buffer.byteLength(body);
    await waitFor(async () => (await heldBytes()) === held, { what: 'four bodies' });
    expect(await residentBytes()).toBeLessThan(POD_BYTES);
    await host.setFault(undefined);
    for (let call = 0; call < 5; call += 1) expect((await post(chat('small'))).status).toBe(200);
    leave.abort();
    await waitFor(async () => (await heldBytes()) === 0, { what: 'the release of all bodies' });
  });
});

describe('a compressed body', () => {
  it('reaches the host decoded', async () => {
    const body = chat('hello '.repeat(1000));
    expect((await post(gzipSync(body), { 'content-encoding': 'gzip' })).status).toBe(200);
    const request = host.calls.at(-1);
    expect(request?.body.toString()).toBe(body);
    expect(request?.headers).not.toHaveProperty('content-encoding');
    expect(request?.headers['content-length']).toBe(String(body.length));
  });
});

describe('a client that stops reading', () => {
  const content = 'x'.repeat(MIB);
  const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;

  it.each([
    ['application/json', 'x'.repeat(30 * MIB)],
    ['text/event-stream', event.repeat(30)],
  ])('ends the %s answer of its host', async (type, body) => {
    const before = await figure('morgan_http_stalled_readers_total');
    const headers = { 'content-type': type };
    await host.setFault({ kind: 'status', status: 200, headers, body });
    const seen = host.calls.length;
    const memory = await residentBytes();
    const isStream = type === 'text/event-stream';
    const sockets = await Promise.all(Array.from({ length: 5 }, () => askWithoutReading(isStream)));
    await waitFor(() => host.calls.length === seen + 5, { what: 'five requests at the host' });
    expect((await residentBytes()) - memory).toBeLessThan(100 * MIB);
    await Promise.all(host.calls.slice(seen).map((request) => request.whenAborted()));
    await waitFor(async () => (await figure('morgan_http_stalled_readers_total')) === before + 5, {
      what: 'the count of it',
    });
    for (const socket of sockets) socket.destroy();
  });
});

it('a client that has taken all there was may wait for more, however slow it was', async () => {
  const content = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(MIB) } }] })}\n\n`;
  const end = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;
  let answer: ServerResponse | undefined;
  await using slow = await listen((request, response) => {
    request.resume();
    if (request.method !== 'POST') return void response.end('{"data":[{"id":"simulated"}]}');
    answer = response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(content.repeat(20));
  });
  await using patient = await startService({
    app: 'llm-service',
    env: { LLM_HOSTS: `one=${slow.origin}/v1`, READ_STALL_TIMEOUT_MS: '300' },
  });
  const body = JSON.stringify({ ...(JSON.parse(chat('a lot')) as object), stream: true });
  const response = await postJson(`${patient.url}/v1/chat/completions`, body);
  let bytes = 0;
  let last = '';
  for await (const piece of response.body as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    last = Buffer.from(piece.subarray(-20)).toString();
    // The host is silent for longer than a client may stop reading.
    if (bytes === 20 * content.length) setTimeout(() => answer?.end(end), 900);
  }
  expect([bytes, last.endsWith('[DONE]\n\n')]).toEqual([20 * content.length + end.length, true]);
});

describe('a whole call', () => {
  it('has an end without any header, which a header can only bring nearer', async () => {
    await using silent = await startFakeLlmHost();
    await using bounded = await startService({
      app: 'llm-service',
      env: { LLM_HOSTS: `one=${silent.url}`, CHAT_TIMEOUT_MS: '300', CHAT_STREAM_TIMEOUT_MS: '600' },
    });
    await silent.setFault({ kind: 'stall-before-headers' });
    const ask = async (stream: boolean, deadline?: string) => {
      const startedAt = performance.now();
      const response = await postJson(
        `${bounded.url}/v1/chat/completions`,
        { model: 'm', messages: [{ role: 'user', content: 'x' }], stream },
        { ...(deadline ? { 'x-morgan-deadline-ms': deadline } : {}) },
      );
      const { error } = (await response.json()) as { error: { code: string } };
      return { status: response.status, code: error.code, ms: performance.now() - startedAt };
    };
    const late = { status: 504, code: 'deadline_exceeded' };
    const [plain, longer, stream, shorter] = await Promise.all([
      ask(false),
      ask(false, '60000'),
      ask(true),
      ask(true, '100'),
    ]);
    for (const answer of [plain, longer, stream, shorter]) expect(answer).toMatchObject(late);
    expect(plain.ms).toBeGreaterThanOrEqual(298);
    // Less than the minute that its header names.
    expect(longer.ms).toBeLessThan(30_000);
    expect(stream.ms).toBeGreaterThanOrEqual(598);
    expect(shorter.ms).toBeLessThan(stream.ms);
  });
});
