import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seededRandom, waitFor } from '@morgan/testing';
import { readDirectly } from './direct-request.ts';
import { exchange, type Gate, openConnection, startGate } from '../../fixture/gate.ts';

/** Node's parser passes over them in front of a request, and whatever begins so is its own. */
const FOR_NODE = '\r\n';
const GET = 'GET /v1/plain/text HTTP/1.1\r\nhost: x\r\nx-api-key: the-key\r\n\r\n';

const post = (body: string, headers = '') =>
  `POST /v1/plain/7 HTTP/1.1\r\nhost: x\r\nx-api-key: the-key\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const POST = post('{"a":1}');

let gate: Gate;
/** Requests that Node's parser has read. */
let readByNode = 0;

beforeAll(async () => {
  // Whoever waits for the rest of a request is soon told that it has not come.
  gate = await startGate({ receiveTimeoutMs: 300 });
  gate.app.getHttpServer().on('request', () => (readByNode += 1));
});
afterAll(async () => {
  await gate[Symbol.asyncDispose]();
});

/** Everything that comes back until the first answer is whole or the connection ends, without what differs each time. */
async function ask(bytes: string, { port } = gate): Promise<string> {
  const socket = await openConnection(port);
  socket.write(bytes, 'latin1');
  let all = '';
  for await (const data of socket) {
    all += (data as Buffer).toString('latin1');
    if (isWhole(all)) break;
  }
  socket.destroy();
  return all.replace(/^date: .*\r\n/im, '').replace(/^x-request-id: .*\r\n/im, '');
}

function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n');
  const length = /^content-length: (\d+)/im.exec(answer)?.[1];
  if (end < 0) return false;
  return length === undefined ? answer.endsWith('0\r\n\r\n') : answer.length - end - 4 >= Number(length);
}

describe('a request that is as nearly all are', () => {
  it.each([
    ['with a body', POST],
    ['without one', GET],
    ['with a body of no bytes', post('')],
    ['with blanks around values', POST.replace('host: x', 'host:\t x \t')],
    ['with an empty value', POST.replace('host', 'x-empty:\r\nhost')],
    ['with a value beyond ASCII', POST.replace('host', 'x-name: \xe4\xa0\r\nhost')],
    ['with a charset', POST.replace('application/json', 'application/json; charset=utf-8')],
    ['with another charset', POST.replace('application/json', 'application/json; charset=latin1')],
    ['that says keep-alive', POST.replace('host', 'Connection: Keep-Alive\r\nhost')],
    ['with zeros before its length', POST.replace('length: 7', 'length: 007')],
    ['with a query', POST.replace('/7', '/7?a=1&b=%2F')],
    ['with slashes that are forgiven', POST.replace('/v1/plain/7', '//v1//plain/7/')],
    ['with its own id', POST.replace('host', 'x-request-id: mine\r\nhost')],
    ['without a key', POST.replace('x-api-key', 'x-no-key')],
    ['that breaks off', post('{"a":')],
    ['that is not UTF-8', POST.replace('{"a":1}', '{"\xff":1}')],
    ['with a byte order mark', POST.replace('{"a":1}', '\xef\xbb\xbf1234')],
    ['that is refused', GET.replace('text', 'busy')],
    ['that fails', GET.replace('text', 'broken')],
    ['with an answer of bytes', GET.replace('text', 'bytes')],
    ['with an answer in pieces', GET.replace('text', 'stream/never')],
    ['with an answer that breaks before its head', GET.replace('text', 'stream/before')],
  ])('is answered as by way of Node, and goes past it: %s', async (_, request) => {
    const before = readByNode;
    const direct = await ask(request);
    expect(readByNode).toBe(before);
    expect(direct).toMatch(/^HTTP\/1.1 \d{3} /);
    expect(direct).toBe(await ask(`${FOR_NODE}${request}`));
    expect(readByNode).toBe(before + 1);
  });
});

describe('any other request', () => {
  it.each([
    ['of another method', GET.replace('GET', 'PUT')],
    ['of HTTP/1.0', GET.replace('1.1', '1.0')],
    ['of another version', GET.replace('1.1', '2.0')],
    ['with an absolute target', GET.replace('/v1', 'http://x/v1')],
    ['with a fragment', GET.replace('text', 'text#a')],
    [
      'in chunks',
      POST.replace(/content-length.*/s, 'transfer-encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\n\r\n'),
    ],
    [
      'with a length and chunks',
      POST.replace('content-length', 'transfer-encoding: chunked\r\ncontent-length'),
    ],
    ['with two lengths', POST.replace('content-length', 'content-length: 6\r\ncontent-length')],
    ['with a list of lengths', POST.replace('length: 7', 'length: 7, 7')],
    ['with a sign before its length', POST.replace('length: 7', 'length: +7')],
    ['with no digits as its length', POST.replace('length: 7', 'length: 0x7')],
    ['with a length that is too much', POST.replace('length: 7', 'length: 99999999')],
    ['with two hosts', GET.replace('host', 'host: y\r\nhost')],
    ['without a host', GET.replace('host', 'x-host')],
    ['with two keys', GET.replace('host', 'x-api-key: the-key\r\nhost')],
    ['that expects something', POST.replace('host', 'expect: 100-continue\r\nhost')],
    ['that is compressed', POST.replace('host', 'content-encoding: gzip\r\nhost')],
    ['of another type', POST.replace('application/json', 'text/plain')],
    ['without a type', POST.replace('content-type', 'x-type')],
    ['that closes', POST.replace('host', 'connection: close\r\nhost')],
    ['that closes by an old name', POST.replace('host', 'Proxy-Connection: close\r\nhost')],
    ['that upgrades', GET.replace('host', 'connection: upgrade\r\nupgrade: websocket\r\nhost')],
    ['with a folded header', GET.replace('the-key', 'the-key\r\n folded')],
    ['with a blank before the colon', GET.replace('host:', 'host :')],
    ['with a blank before a name', GET.replace('host', ' host')],
    ['with lines that end by a line feed alone', GET.replaceAll('\r\n', '\n')],
    ['with a line feed in a value', GET.replace('x\r\n', 'x\nx-more: 1\r\n')],
    ['with a carriage return in a value', GET.replace('x\r\n', 'x\rx-more: 1\r\n')],
    ['with a zero byte', GET.replace('host: x', 'host: x\0')],
    ['with a head that is too large', GET.replace('host', `x-long: ${'a'.repeat(17_000)}\r\nhost`)],
    ['with a name that all objects have', GET.replace('host', 'constructor: 1\r\nhost')],
    ['of which the rest never comes', POST.slice(0, -1)],
    ['of which half of the head never comes', POST.slice(0, 30)],
  ])('is for Node to read: %s', async (_, request) => {
    const bytes = Buffer.from(request, 'latin1');
    expect(readDirectly(bytes)?.end).not.toBe(bytes.length);
    expect(await ask(request)).toBe(await ask(`${FOR_NODE}${request}`));
  });

  it.each([
    ['a route of Nest', 'item/1'],
    ['no route', 'plain/text/nothing/here'],
  ])('is for Node to read: of %s', async (_, path) => {
    const request = GET.replace('plain/text', path);
    const before = readByNode;
    expect(await ask(request)).toBe(await ask(`${FOR_NODE}${request}`));
    expect(readByNode).toBe(before + 2);
  });

  it('of which one byte is wrong is answered alike, whatever the byte is', async () => {
    // So many at a time take a busy machine longer than one does.
    await using patient = await startGate({ receiveTimeoutMs: 1_500 });
    const random = seededRandom(7);
    const at = (length: number) => Math.floor(random() * length);
    const broken = Array.from({ length: 400 }, () => {
      const request = at(2) === 0 ? GET : POST;
      const place = at(request.length);
      const byte = at(3) === 0 ? '' : String.fromCharCode(at(256));
      return request.slice(0, place) + byte + request.slice(place + at(2));
    });
    const answers = await Promise.all(broken.map((each) => ask(each, patient)));
    const byNode = await Promise.all(broken.map((each) => ask(`${FOR_NODE}${each}`, patient)));
    for (const [which, each] of broken.entries())
      expect([each, answers[which]]).toEqual([each, byNode[which]]);
    // Both kinds are among them.
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 200')).length).toBeGreaterThan(40);
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 400')).length).toBeGreaterThan(40);
  });
});

describe('a connection', () => {
  const LAST = GET.replace('host', 'connection: close\r\nhost');
  const statuses = (all: string) => Array.from(all.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => status);

  it('goes on with Node behind the first request that needs it', async () => {
    const socket = await openConnection(gate.port);
    const chunked = POST.replace(
      /content-length.*/s,
      'transfer-encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\n\r\n',
    );
    const before = readByNode;
    for (const request of [GET, POST, chunked, GET]) {
      socket.write(request);
      const [data] = (await once(socket, 'data')) as [Buffer];
      expect(data.toString()).toMatch(/^HTTP\/1.1 200/);
    }
    socket.write(LAST);
    expect(statuses(await text(socket))).toEqual(['200']);
    expect(readByNode - before).toBe(3);
  });

  it('takes empty lines between requests for nothing', async () => {
    await using own = await startGate({ receiveTimeoutMs: 300 });
    const socket = await openConnection(own.port);
    socket.write(GET.replace('text', 'held'));
    await waitFor(() => own.load.running === 1, { what: 'the request' });
    socket.write('\r\n');
    // It is heard behind that.
    await exchange(own.port, LAST);
    own.load.release();
    await once(socket, 'data');
    socket.write('\r\n');
    // It would be told that its next request is late, as these are which say nothing else.
    for (let late = 0; late < 2; late += 1) expect(await exchange(own.port, '\r\n')).toMatch(/ 408 /);
    socket.write(LAST);
    expect(statuses(await text(socket))).toEqual(['200']);
  });

  it('answers what is sent ahead one at a time and in order', async () => {
    const socket = await openConnection(gate.port);
    socket.write(GET.replace('text', 'held'));
    await waitFor(() => gate.load.running === 1, { what: 'the first request' });
    socket.write(POST.replace('/7', '/8'));
    socket.write(LAST);
    // It is heard behind them, so that they have been read by then.
    await ask(GET);
    expect(gate.load.running).toBe(1);
    gate.load.release();
    const all = await text(socket);
    expect(statuses(all)).toEqual(['200', '200', '200']);
    expect(all.indexOf('"done"')).toBeLessThan(all.indexOf('"id":"8"'));
  });

  it('answers nothing behind the answer that is its last', async () => {
    await using own = await startGate({ receiveTimeoutMs: 300 });
    const socket = await openConnection(own.port, { allowHalfOpen: true });
    expect(statuses(await text(socket))).toEqual(['408']);
    const openConnections = promisify(own.app.getHttpServer().getConnections.bind(own.app.getHttpServer()));
    socket.end(GET.replace('text', 'held'));
    await waitFor(async () => (await openConnections()) === 0, { what: 'the end, all of it read' });
    expect(own.load.total).toBe(0);
  });

  it('does not read on where far too much is sent ahead', async () => {
    const socket = await openConnection(gate.port);
    socket.write(GET.replace('text', 'endless'));
    await waitFor(() => gate.load.running === 1, { what: 'the request' });
    const block = Buffer.alloc(1024 * 1024, 'x');
    let taken = 0;
    for (let sent = 0; sent < 64; sent += 1) socket.write(block, () => (taken += 1));
    const [end] = await untilSteady(() => socket.bytesWritten - socket.writableLength);
    expect(taken).toBeLessThan(32);
    expect(end).toBeLessThan(32 * block.length);
    socket.resetAndDestroy();
    gate.app.getHttpServer().closeAllConnections();
    await waitFor(() => gate.load.running === 0, { what: 'the end' });
  });

  it('waits a moment for a body that comes behind its head', async () => {
    const headEnd = POST.indexOf('{');
    const before = readByNode;
    const calls = 20;
    for (let call = 0; call < calls; call += 1) {
      const accepted = once(gate.app.getHttpServer(), 'connection') as Promise<[Socket]>;
      const socket = await openConnection(gate.port);
      const [theirs] = await accepted;
      socket.write(POST.slice(0, headEnd));
      while (theirs.bytesRead < headEnd) await new Promise(setImmediate);
      socket.write(POST.slice(headEnd));
      const [data] = (await once(socket, 'data')) as [Buffer];
      expect(data.toString()).toMatch(/^HTTP\/1.1 200.*"a":1/s);
      socket.destroy();
    }
    // Those that a busy machine makes wait for longer are Node's.
    expect(readByNode - before).toBeLessThan(calls);
  });

  it('has a refusal that needs no body without it', async () => {
    const head = POST.slice(0, POST.indexOf('{')).replace('the-key', 'no-key');
    expect(await ask(head)).toMatch(/^HTTP\/1.1 401/);
  });

  it.each<[string, (socket: Socket) => unknown]>([
    ['leaves', (socket) => socket.destroy()],
    ['is reset', (socket) => socket.resetAndDestroy()],
    ['ends its side', (socket) => socket.end()],
  ])('whose client %s has its call aborted', async (_, leave) => {
    const before = gate.finished.length;
    const socket = await openConnection(gate.port);
    socket.write(GET.replace('text', 'endless'));
    await waitFor(() => gate.load.running === 1, { what: 'the request' });
    leave(socket);
    await waitFor(() => gate.finished.length > before, { what: 'the end' });
    expect(gate.finished.at(-1)).toMatchObject({ route: '/v1/plain/endless', status: 499, aborted: true });
    expect(gate.drain.inFlight).toBe(0);
  });

  it('on which nothing ever comes is told so', async () => {
    const socket = await openConnection(gate.port);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 408 .*request_timeout/s);
  });

  it('ends when it was idle for long enough', async () => {
    await using own = await startGate({ keepAliveTimeoutMs: 1_000 });
    const socket = await openConnection(own.port);
    const startedAt = performance.now();
    socket.write(GET);
    const all = await text(socket);
    expect(all).toMatch(/^HTTP\/1.1 200 .*\r\nkeep-alive: timeout=1\r\n/is);
    expect(performance.now() - startedAt).toBeGreaterThan(1_900);
  });

  it('ends behind the answer that says so while the service stops', async () => {
    await using own = await startGate();
    const [idle, busy] = [await openConnection(own.port), await openConnection(own.port)];
    for (const socket of [idle, busy]) {
      socket.write(GET);
      await once(socket, 'data');
    }
    const startedAt = performance.now();
    const stopped = own.drain.stop({ minMs: 0, graceMs: 1_000 });
    busy.write(GET);
    const [last] = await Promise.all([text(busy), stopped]);
    expect(last).toMatch(/^HTTP\/1.1 200 .*\r\nconnection: close\r\n/is);
    const closed = text(idle);
    await own.app.close();
    expect(await closed).toBe('');
    // Long before either was idle for long enough.
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });

  it('keeps its key out of what another one is answered', async () => {
    expect(statuses(await exchange(gate.port, GET + LAST.replace('the-key', 'no-key')))).toEqual([
      '200',
      '401',
    ]);
  });
});

/** The value that stays the same while everybody else has a hundred turns. */
async function untilSteady(read: () => number): Promise<[number]> {
  for (let [last, turns] = [read(), 0]; ; turns += 1) {
    await new Promise(setImmediate);
    if (read() !== last) [last, turns] = [read(), 0];
    else if (turns === 100) return [last];
  }
}
