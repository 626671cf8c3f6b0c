import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { exchange, openConnection, startGate } from '../../fixture/gate.ts';

const GET = 'GET /v1/slow HTTP/1.1\r\nhost: x\r\nx-api-key: the-key\r\n\r\n';
const PROBE = 'GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
const answers = (all: string) => all.match(/HTTP\/1\.1 \d+/g) ?? [];

describe('requests that are sent ahead', () => {
  it('are answered one at a time and in order', async () => {
    await using gate = await startGate();
    const paths = Array.from({ length: 10 }, (_, index) => `/v1/item/${index}`);
    const requests = paths.map((path) => GET.replace('/v1/slow', path));
    const last = GET.replace('host', 'connection: close\r\nhost');
    const all = await exchange(gate.port, GET.repeat(5) + requests.join('') + last);
    expect(answers(all)).toEqual(new Array(16).fill('HTTP/1.1 200'));
    expect([...all.matchAll(/"id":"(\d+)"/g)].map(([, id]) => Number(id))).toEqual(
      paths.map((_, index) => index),
    );
    expect(gate.load).toMatchObject({ most: 1, total: 6 });
  });

  it('begin one in each turn, so that others are heard in between', async () => {
    await using gate = await startGate();
    const [ahead, other] = [await openConnection(gate.port), await openConnection(gate.port)];
    // Both can be read in the same turn.
    ahead.write(GET.replace('/v1/slow', '/v1/item/1').repeat(16));
    other.write(PROBE);
    await Promise.all([text(other), waitFor(() => gate.finished.length === 17, { what: 'all answers' })]);
    expect(gate.finished.findIndex(({ route }) => route === '/livez')).toBeLessThan(4);
    ahead.destroy();
  });

  it('too far are answered as far as they may wait, and the connection ends behind the last answer', async () => {
    await using gate = await startGate();
    const all = await exchange(gate.port, GET.repeat(50));
    expect(answers(all)).toEqual(new Array(17).fill('HTTP/1.1 200'));
    expect(all.match(/connection: close/gi)).toHaveLength(1);
    expect(gate.load).toMatchObject({ most: 1, total: 17 });
    expect(gate.finished.filter(({ status }) => status === 400)).toHaveLength(1);
  });

  it('by the thousand start one answer, and the connection is cut', async () => {
    await using gate = await startGate();
    const socket = await openConnection(gate.port);
    socket.write(GET.repeat(5_000));
    await new Promise((resolve) => socket.once('close', resolve).resume());
    expect(gate.load).toMatchObject({ most: 1, total: 1 });
    await waitFor(() => gate.drain.inFlight === 0, { what: 'the end of the request' });
    expect(gate.finished).toHaveLength(2);
    expect(gate.finished).toContainEqual(
      expect.objectContaining({ status: 400, errorCode: 'malformed_request', route: 'unmatched' }),
    );
  });

  it('with bodies keep their framing', async () => {
    await using gate = await startGate();
    const post = (close: string) =>
      `POST /v1/echo HTTP/1.1\r\nhost: x\r\nx-api-key: the-key\r\n${close}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\n\r\n`;
    const all = await exchange(gate.port, post('').repeat(15) + post('connection: close\r\n'));
    expect(answers(all)).toEqual(new Array(16).fill('HTTP/1.1 200'));
  });

  it('with large heads are read one after the other once a few wait, and all are answered', async () => {
    await using gate = await startGate();
    let read = 0;
    gate.app.getHttpServer().on('request', ({ url }) => (read += url === '/v1/item/1' ? 1 : 0));
    const socket = await openConnection(gate.port);
    let all = '';
    socket.on('data', (data: Buffer) => (all += data.toString()));
    // Node's parser passes over the empty line in front, and whatever begins so is its own.
    socket.write(`\r\n${GET.replace('/v1/slow', '/v1/plain/held')}`);
    await waitFor(() => gate.load.running === 1, { what: 'the first request' });
    socket.write(
      GET.replace('/v1/slow', '/v1/item/1')
        .replace('host', `x: ${'y'.repeat(12_000)}\r\nhost`)
        .repeat(16),
    );
    // It is heard behind what is there to be read.
    for (let probe = 0; probe < 10; probe += 1) await exchange(gate.port, PROBE);
    // As many as fit into two reads of a connection.
    expect(read).toBeLessThan(12);
    gate.load.release();
    await waitFor(() => answers(all).length === 17, { what: 'all answers' });
    socket.destroy();
  });

  it('are forgotten when the client leaves', async () => {
    await using gate = await startGate();
    const socket = await openConnection(gate.port);
    socket.write(GET.repeat(12));
    await waitFor(() => gate.load.total > 0, { what: 'the first answer' });
    socket.resetAndDestroy();
    await waitFor(() => gate.drain.inFlight === 0, { what: 'the end' });
    expect(gate.finished.length).toBe(gate.load.total);
  });
});

/** Writes without end, whatever it is answered, until the server cuts the connection. @returns how much it took. */
async function flood(socket: Socket): Promise<number> {
  const block = Buffer.alloc(64 * 1024, 'x');
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')]);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
  await closed;
  return socket.bytesWritten;
}

const UPLOAD = 'HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n';

describe('a body that is still coming when its request is answered', () => {
  it.concurrent.each([
    ['a wrong key', `POST /v1/echo ${UPLOAD}`, 401],
    ['too many bytes', `POST /v1/echo ${UPLOAD}x-api-key: the-key\r\n`, 413],
    ['an unknown path', `POST /v1/nothing ${UPLOAD}x-api-key: the-key\r\n`, 404],
    ['a wrong method', `PUT /v1/echo ${UPLOAD}x-api-key: the-key\r\n`, 405],
    ['a wrong type', `POST /v1/echo ${UPLOAD}x-api-key: the-key\r\n`.replace('json', 'xml'), 415],
    ['a bad URL', `POST /% ${UPLOAD}`, 400],
    ['a success', `GET /livez ${UPLOAD}`, 200],
  ])('is read for a moment only: %s', async (_, head, status) => {
    await using gate = await startGate({ bodyLimitBytes: 1_000_000 });
    const socket = await openConnection(gate.port, { allowHalfOpen: true });
    let answer = '';
    socket.on('data', (data: Buffer) => (answer += data.toString()));
    // A text that never ends: anything else would be refused as no JSON.
    socket.write(`${head}\r\n1\r\n"\r\n`);
    const read = await flood(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/^connection: close/im);
    // The limit, and what both kernels had taken by then.
    expect(read).toBeLessThan(30_000_000);
    await waitFor(() => gate.drain.inFlight === 0, { what: 'the end' });
  });

  it('is no reason to close where it is small', async () => {
    await using gate = await startGate();
    const post = `POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}`;
    const all = await exchange(gate.port, `${post}${post.replace('host', 'connection: close\r\nhost')}`);
    expect(answers(all)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 401']);
  });

  it.each(['/v1/echo', '/v1/plain/7'])(
    'is a reason where it comes too slowly, however small: %s',
    async (path) => {
      await using gate = await startGate({ bodies: { rateWindowMs: 100 } });
      const half = `POST ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: the-key\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"a"`;
      const all = await exchange(gate.port, half);
      expect(answers(all)).toEqual(['HTTP/1.1 408']);
      expect(all).toMatch(/^connection: close/im);
    },
  );

  it('does not keep its client from reading the answer after it', async () => {
    await using gate = await startGate({ bodyLimitBytes: 1_000_000 });
    const socket = await openConnection(gate.port);
    socket.write(`POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 900000\r\n\r\n`);
    socket.pause();
    await waitFor(() => gate.finished.length === 1, { what: 'the refusal' });
    // Everything is sent before the first byte is read, as simple clients do.
    for (let sent = 0; sent < 9; sent += 1) {
      await new Promise((resolve) => socket.write(Buffer.alloc(100_000, 'x'), resolve));
    }
    expect(await text(socket)).toMatch(/^HTTP\/1.1 401 .*invalid_api_key/s);
  });
});

describe('the limit of connections', () => {
  it('closes what is above it, counts it and says so once', async () => {
    await using gate = await startGate({ maxConnections: 2 });
    const slow =
      'POST /v1/echo HTTP/1.1\r\nhost: x\r\nx-api-key: the-key\r\ncontent-type: application/json\r\n';
    const holders = [await openConnection(gate.port), await openConnection(gate.port)];
    for (const holder of holders) holder.write(`${slow}content-length: 100\r\n\r\n{`);
    await waitFor(() => gate.drain.inFlight === 2, { what: 'both requests' });
    for (let time = 0; time < 3; time += 1) {
      const socket = await openConnection(gate.port);
      socket.resume();
      await once(socket, 'close');
    }
    const scraped = await gate.metrics.render();
    expect(scraped).toMatch(/^morgan_http_connections 2$/m);
    expect(scraped).toMatch(/^morgan_http_connections_refused_total 3$/m);
    expect(gate.lines.filter(({ message }) => message.includes('connection limit'))).toEqual([
      expect.objectContaining({ level: 'warn', fields: { maxConnections: 2 } }),
    ]);
    for (const holder of holders) holder.destroy();
  });

  it('lets idle connections make room', async () => {
    await using gate = await startGate({ maxConnections: 2 });
    const idle = [await openConnection(gate.port), await openConnection(gate.port)];
    for (const socket of idle) {
      socket.write(GET);
      await once(socket, 'data');
    }
    const ends = idle.map((socket) => once(socket.resume(), 'close'));
    const refused = await openConnection(gate.port);
    await Promise.all([...ends, once(refused.resume(), 'close')]);
    expect(await exchange(gate.port, GET.replace('host', 'connection: close\r\nhost'))).toMatch(
      /^HTTP\/1.1 200/,
    );
  });

  it('lets connections make room that never ask anything', async () => {
    await using gate = await startGate({ maxConnections: 2 });
    const [silent, slow] = [await openConnection(gate.port), await openConnection(gate.port)];
    const ends = [silent, slow].map((socket) => once(socket.resume(), 'close'));
    slow.write('GET /livez HTTP/1.1\r\nhost:');
    const isAnswered = async () => (await exchange(gate.port, PROBE)).startsWith('HTTP/1.1 200');
    await waitFor(isAnswered, {
      what: 'room for a probe',
      timeoutMs: 20_000,
    });
    await Promise.all(ends);
  });

  it.each([
    ['half of a next head', GET, 'GET /li'],
    [
      'nothing of a body that was refused without it',
      'POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n',
      '',
    ],
    ['half of a body that nobody reads', GET.replace('host', 'content-length: 100\r\nhost'), '{'],
  ])('lets connections make room that were answered and send %s', async (_, request, rest) => {
    await using gate = await startGate({ maxConnections: 2 });
    const holders = [await openConnection(gate.port), await openConnection(gate.port)];
    for (const holder of holders) {
      holder.write(request);
      await once(holder, 'data');
      holder.write(rest);
    }
    const ends = holders.map((holder) => once(holder.resume(), 'close'));
    const isAnswered = async () => (await exchange(gate.port, PROBE)).startsWith('HTTP/1.1 200');
    await waitFor(isAnswered, { what: 'room for a probe', timeoutMs: 20_000 });
    await Promise.all(ends);
  });

  it('leaves a connection alone whose answer is under way, also behind one that is over', async () => {
    await using gate = await startGate({ maxConnections: 2 });
    const holder = await openConnection(gate.port);
    holder.write(
      `${GET}POST /v1/echo HTTP/1.1\r\nhost: x\r\nx-api-key: the-key\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{`,
    );
    await waitFor(() => gate.finished.length === 1 && gate.drain.inFlight === 1, {
      what: 'the second request',
    });
    const silent = await openConnection(gate.port);
    const ended = once(silent.resume(), 'close');
    const isAnswered = async () => (await exchange(gate.port, PROBE)).startsWith('HTTP/1.1 200');
    await waitFor(isAnswered, { what: 'room for a probe', timeoutMs: 20_000 });
    await ended;
    const answered = once(holder, 'close');
    let all = '';
    holder.on('data', (data: Buffer) => (all += data.toString()));
    holder.write('}');
    await answered;
    expect(answers(all)).toHaveLength(2);
  });
});

describe('an idle connection', () => {
  it.each([
    [{}, 'timeout=72'],
    [{ keepAliveTimeoutMs: 620_000 }, 'timeout=620'],
  ])('is kept as long as the configuration says: %j', async (settings, promised) => {
    await using gate = await startGate(settings);
    expect((await fetch(`${gate.url}/livez`)).headers.get('keep-alive')).toBe(promised);
  });
});

describe('while stopping', () => {
  it('every answer ends its connection, and the port stays open', async () => {
    await using gate = await startGate();
    const before = await fetch(`${gate.url}/livez`);
    expect(before.headers.get('connection')).toBe('keep-alive');
    const drained = gate.drain.stop({ minMs: 50, graceMs: 0 });
    const all = await exchange(gate.port, GET + GET);
    expect(answers(all)).toEqual(['HTTP/1.1 200']);
    expect(all).toMatch(/^connection: close/im);
    expect(await exchange(gate.port, GET.replace('the-key', 'wrong'))).toMatch(/401.*^connection: close/ims);
    expect(await drained).toBe(0);
  });
});
