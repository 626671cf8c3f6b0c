import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { OutgoingResponse } from '@morgan/foundation';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import { DirectResponse } from './direct-response.ts';

const KEEP_ALIVE = 'Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n';
const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
const LONG = 'ä'.repeat(100_000);

const servers: LocalServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function portOf(server: Server): Promise<number> {
  const local = await listen(server);
  servers.push(local);
  return local.port;
}

type Write = (response: OutgoingResponse) => void;

/** What comes back, but for the date; the connection is closed behind it. */
async function answerOf(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(REQUEST);
  return (await text(socket)).replace(/^date: .*\r\n/im, '');
}

async function byNode(write: Write): Promise<string> {
  const server = createHttpServer({ keepAliveTimeout: 5_000 }, (_request, response) => {
    response.once('finish', () => response.req.socket.destroySoon());
    write(response);
  });
  return answerOf(await portOf(server));
}

/** A server that answers each connection so. */
async function directly(answer: (response: DirectResponse, socket: Socket) => void): Promise<number> {
  return portOf(
    createServer((socket) => {
      socket.once('data', () => {
        const response = new DirectResponse(socket, KEEP_ALIVE);
        socket.on('drain', () => response.drained());
        socket.once('close', () => response.close());
        answer(response, socket);
      });
    }),
  );
}

async function byUs(write: Write): Promise<string> {
  const port = await directly((response, socket) => {
    response.once('finish', () => socket.destroySoon());
    write(response);
  });
  return answerOf(port);
}

describe('a response that is written directly', () => {
  it.each<[string, Write]>([
    ['a text and its length', (r) => (r.writeHead(200, { 'content-length': 2 }), r.end('ok', 'latin1'))],
    [
      'bytes and their length',
      (r) => (r.writeHead(201, { 'Content-Length': '2' }), r.end(Buffer.from('ok'))),
    ],
    ['headers by turns', (r) => (r.writeHead(404, ['x-a', '1', 'X-A', '2', 'content-length', '0']), r.end())],
    ['a date of its own', (r) => (r.writeHead(200, { date: 'then', 'content-length': 0 }), r.end())],
    ['a long text', (r) => (r.writeHead(200, { 'content-length': 200_000 }), r.end(LONG, 'utf8'))],
    [
      'chunks',
      (r) => (r.writeHead(200, { 'x-a': 1 }), r.write('one'), r.write(Buffer.from('two')), r.end('three')),
    ],
    ['a long chunk', (r) => (r.writeHead(200, {}), r.write(Buffer.from(LONG)), r.end())],
    [
      'an empty chunk',
      (r) => (r.writeHead(200, {}), r.write(''), r.write('one'), r.write(Buffer.alloc(0)), r.end('')),
    ],
    ['a call back for an empty chunk', (r) => (r.writeHead(200, {}), r.write('', () => r.end('two')))],
    ['a call back for what is not sent', (r) => (r.writeHead(204, {}), r.write('one', () => r.end()))],
    ['a long last chunk', (r) => (r.writeHead(200, {}), r.end(Buffer.from(LONG)))],
    ['no chunk', (r) => (r.writeHead(200, {}), r.end())],
    ['nothing to say', (r) => (r.writeHead(204, { 'x-a': 1 }), r.end())],
    ['nothing new', (r) => (r.writeHead(304, { etag: '"1"' }), r.end('unsent'))],
    ['a status that is not known', (r) => (r.writeHead(599, { 'content-length': 0 }), r.end())],
    ['headers that were set before', (r) => (r.setHeader('x-a', 1), r.write('one'), r.end())],
    ['a status that was set before', (r) => ((r.statusCode = 418), r.write('one'), r.end())],
    ['the end of the connection', (r) => ((r.shouldKeepAlive = false), r.writeHead(200, {}), r.end('one'))],
    [
      'pieces of a known length',
      (r) => (r.writeHead(200, { 'content-length': 6 }), r.write('one'), r.end('two')),
    ],
    ['a stream', (r) => void Readable.from(['one', Buffer.from('two')]).pipe(r)],
    ['a call back', (r) => (r.writeHead(200, {}), r.write('one', () => r.end('two')))],
  ])('is what Node would send: %s', async (_, write) => {
    expect(await byUs(write)).toBe(await byNode(write));
  });

  it.each([
    ['a name', (r: OutgoingResponse) => r.writeHead(200, { 'x a': '1' })],
    ['a value', (r: OutgoingResponse) => r.writeHead(200, { 'x-a': '1\r\nset-cookie: a=b' })],
    ['a value by turns', (r: OutgoingResponse) => r.writeHead(200, ['x-a', '1\nx'])],
    ['a value beyond Latin-1', (r: OutgoingResponse) => r.writeHead(200, { 'x-a': '\u2013' })],
  ])('has no header that is none: %s', async (_, write) => {
    const refused = Promise.withResolvers<unknown>();
    const port = await directly((response, socket) => {
      try {
        refused.resolve(write(response));
      } catch (error) {
        refused.resolve(error);
      }
      socket.destroySoon();
    });
    expect(await answerOf(port)).toBe('');
    expect(await refused.promise).toMatchObject({
      code: expect.stringMatching(/^ERR_(HTTP_INVALID|INVALID)_/),
    });
  });

  it('finishes, and then closes, and has no connection from then on', async () => {
    const events: unknown[] = [];
    const port = await directly((response, socket) => {
      for (const name of ['finish', 'close'])
        response.once(name, () => events.push([name, response.writableFinished, response.socket === socket]));
      response.once('close', () => socket.destroySoon());
      response.writeHead(200, { 'content-length': 2 }).end('ok');
    });
    await answerOf(port);
    expect(events).toEqual([
      ['finish', true, true],
      ['close', true, false],
    ]);
  });

  it('says when it is full and when it goes on, and is cut where its client leaves', async () => {
    const got = Promise.withResolvers<DirectResponse>();
    const port = await directly((response) => got.resolve(response.writeHead(200, {})));
    const client = connect(port, '127.0.0.1').on('error', () => undefined);
    client.write(REQUEST);
    client.pause();
    const response = await got.promise;
    const block = Buffer.alloc(256 * 1024);
    while (response.write(block));
    expect(response.writableNeedDrain).toBe(true);
    const drained = once(response, 'drain');
    client.resume();
    await drained;
    expect([response.writableNeedDrain, response.writableLength]).toEqual([false, 0]);
    const closed = once(response, 'close');
    client.resetAndDestroy();
    await closed;
    expect(response).toMatchObject({ destroyed: true, closed: true, writableFinished: false, socket: null });
    const late = Promise.withResolvers<unknown>();
    expect(response.write('late', late.resolve)).toBe(false);
    expect(await late.promise).toBeInstanceOf(Error);
  });

  it('is cut by whoever destroys it', async () => {
    const closed = Promise.withResolvers<DirectResponse>();
    const port = await directly((response) => {
      response.once('close', () => closed.resolve(response));
      response.write('one', () => response.destroy());
    });
    expect(await answerOf(port)).toMatch(/one\r\n$/);
    expect((await closed.promise).writableFinished).toBe(false);
  });

  it('tells of a client that takes nothing for too long', async () => {
    let timedOut = false;
    const port = await directly((response, socket) => {
      socket.on('timeout', () => response.emit('timeout'));
      response.once('timeout', () => {
        timedOut = true;
        response.destroy();
      });
      response.setTimeout(50);
    });
    await answerOf(port);
    await waitFor(() => timedOut, { what: 'the time-out' });
  });
});
