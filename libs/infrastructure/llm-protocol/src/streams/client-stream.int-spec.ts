import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type LocalServer, listen, STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { chatDialect } from '../dialects/chat.dialect.ts';
import { ClientStream } from './client-stream.ts';

const PIECE = Buffer.from(`data: ${'x'.repeat(1_000)}\n\n`);
const FAULT = { status: 502, type: undefined, code: undefined, message: 'the host broke' };

const textOf = (pieces: Uint8Array[]) => Buffer.concat(pieces).toString();

let server: LocalServer;
let timesFull: number;

beforeEach(async () => {
  timesFull = 0;
  server = await listen(createServer());
});
afterEach(() => {
  jest.useRealTimers();
  return server.close();
});

/** The next request, and a stream that answers it. */
async function nextStream() {
  const [, response] = (await once(server.server, 'request')) as [unknown, ServerResponse];
  const client = new ClientStream(response, {
    dialect: chatDialect,
    writeHead: () => response.writeHead(200),
    keepAliveMs: 60_000,
    earlyKeepAliveMs: Infinity,
    onFull: () => (timesFull += 1),
  });
  return { response, client };
}

it('tells of a reader who does not even take the error', async () => {
  const reader = connect(server.port, '127.0.0.1').on('error', () => undefined);
  try {
    const asked = nextStream();
    reader.pause().write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    const { response, client } = await asked;
    // The system has taken what it can hold, and this process holds less than would stop the host.
    while (response.writableLength === 0) {
      client.send(PIECE);
      client.flush();
      await nextTurn();
    }
    expect([client.isFull, timesFull]).toEqual([false, 0]);
    client.fail(FAULT, 0);
    expect(timesFull).toBe(1);
  } finally {
    reader.destroy();
  }
});

describe('a stream that has told its error', () => {
  /** A caller who has it, of a stream with a piece in front. */
  async function failed() {
    jest.useFakeTimers(STOPPED_CLOCK);
    const asked = nextStream();
    const leave = new AbortController();
    const answer = fetch(server.origin, { signal: leave.signal });
    const { response, client } = await asked;
    client.send(PIECE);
    client.fail(FAULT, 0);
    const { body } = await answer;
    return { response, leave, body: body as ReadableStream<Uint8Array> };
  }

  it('breaks once its caller has had time to read that', async () => {
    const { response, body } = await failed();
    const seen: Uint8Array[] = [];
    const read = async () => {
      // A caller who does something with each piece; meanwhile `fetch` holds those behind it.
      for await (const piece of body) {
        seen.push(piece);
        if (textOf(seen).includes(FAULT.message)) jest.advanceTimersByTime(250);
        await nextTurn();
      }
    };
    await nextTurn();
    jest.advanceTimersByTime(249);
    expect(response.destroyed).toBe(false);
    await expect(read()).rejects.toThrow('terminated');
    expect(textOf(seen)).toContain(FAULT.message);
  });

  it('is over when its caller leaves', async () => {
    const { response, leave } = await failed();
    leave.abort();
    await waitFor(() => response.closed, { what: 'the end of the response' });
    expect(jest.getTimerCount()).toBe(0);
  });
});
