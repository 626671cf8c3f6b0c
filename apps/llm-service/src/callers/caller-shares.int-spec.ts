import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { serveOver } from '../../fixture/served.ts';

const [ONE, TWO] = ['first-caller', 'second-caller'];
const MOST = 3;

let gateway: Awaited<ReturnType<typeof serveOver>>;
let port: number;
/** Calls that the host has not answered yet. */
const held: ServerResponse[] = [];

beforeAll(async () => {
  const one: RequestListener = (request, response) => {
    if (request.method === 'GET') return void response.end('{"data":[{"id":"m"}]}');
    request.resume().once('end', () => held.push(response));
  };
  gateway = await serveOver({ one }, { API_KEYS: `${ONE},${TWO}`, MAX_CALLS: '4' });
  await gateway.parts.start();
  port = Number(new URL(gateway.url).port);
});
afterAll(() => gateway.close());

const BODY = '{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}';

interface Call {
  readonly socket: Socket;
  readonly said: () => string;
}

/** @param sent how much of its body leaves. */
async function begin(key: string, { sent = BODY.length, deadlineMs = 60_000 } = {}): Promise<Call> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  let said = '';
  socket.on('data', (bytes: Buffer) => (said += bytes.toString()));
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\nx-morgan-deadline-ms: ${deadlineMs}\r\n` +
      `content-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY.slice(0, sent)}`,
  );
  return { socket, said: () => said };
}

const CONTENT = 'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n';

/** The next call at the host. */
async function taken(): Promise<ServerResponse> {
  await waitFor(() => held.length > 0, { what: 'a call at the host' });
  return held.shift() as ServerResponse;
}

async function answered(call: Call, status: number): Promise<void> {
  await waitFor(() => call.said().startsWith(`HTTP/1.1 ${status}`), { what: `status ${status}` });
}

const idle = () => waitFor(() => gateway.parts.drain.inFlight === 0, { what: 'the end of all calls' });

/** Ways in which a call ends. */
const ENDS: Readonly<Record<string, () => Promise<void>>> = {
  'left in mid-upload': async () => {
    (await begin(ONE, { sent: 5 })).socket.destroy();
  },
  'left before the headers': async () => {
    const { socket } = await begin(ONE);
    await taken();
    socket.destroy();
  },
  'left in mid-stream': async () => {
    const call = await begin(ONE);
    (await taken()).writeHead(200, { 'content-type': 'text/event-stream' }).write(CONTENT);
    await answered(call, 200);
    call.socket.destroy();
  },
  'broken by its host': async () => {
    const call = await begin(ONE);
    (await taken()).writeHead(200, { 'content-type': 'text/event-stream' }).write(CONTENT, () => undefined);
    await answered(call, 200);
    for (const { sockets } of gateway.hosts) for (const socket of sockets) socket.destroy();
    await waitFor(() => call.socket.destroyed, { what: 'the end of the stream' });
  },
  refused: async () => {
    const call = await begin(ONE);
    (await taken()).writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');
    await answered(call, 400);
  },
  'over its time': async () => {
    const call = await begin(ONE, { deadlineMs: 200 });
    await answered(call, 504);
    // Whether it came to the host, in so short a time, or not.
    held.length = 0;
  },
};

describe('the places of one of several callers', () => {
  it.each(Object.entries(ENDS))('are free again where calls are %s', async (_, end) => {
    for (let count = 0; count <= MOST; count += 1) {
      await end();
      await idle();
    }
    expect(await openAll()).toEqual(Array.from({ length: MOST }, () => 'open'));
    await idle();
  });

  it('leave room for another, and the one who has too many is told', async () => {
    const mine = await Promise.all(Array.from({ length: MOST }, () => begin(ONE)));
    await waitFor(() => held.length === MOST, { what: 'all of them at the host' });
    const more = await begin(ONE);
    await answered(more, 429);
    expect(more.said()).toMatch(/retry-after: [1-3]\r\n.*"code":"rate_limited"/s);
    const other = await begin(TWO);
    await waitFor(() => held.length === MOST + 1, { what: 'the call of another' });
    for (const { socket } of [...mine, more, other]) socket.destroy();
  });
});

/** As many calls as may be under way, and what became of each; they leave again. */
async function openAll(): Promise<string[]> {
  const calls = await Promise.all(Array.from({ length: MOST }, () => begin(ONE)));
  await waitFor(() => held.length + calls.filter(({ said }) => said() !== '').length === MOST, {
    what: 'what becomes of all calls',
  });
  const statuses = calls.map(({ said }) => (said() === '' ? 'open' : 'refused'));
  for (const { socket } of calls) socket.destroy();
  held.length = 0;
  return statuses;
}
