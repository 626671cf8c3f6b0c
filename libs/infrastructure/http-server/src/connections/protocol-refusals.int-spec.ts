import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { exchange, type Gate, openConnection, startGate } from '../../fixture/gate.ts';

let gate: Gate;

beforeAll(async () => {
  gate = await startGate({ receiveTimeoutMs: 500, openEndpoints: ['metrics'] });
});
afterAll(async () => gate[Symbol.asyncDispose]());

const CLOSE = 'x-api-key: the-key\r\nconnection: close\r\n';
const POST = `POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${CLOSE}`;

/** The parts of one answer. */
function parse(answer: string) {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim();
  const { error } = JSON.parse(body) as {
    error?: { code: string; message: string; type: string; param: null };
  };
  return { status: Number(head.split(' ')[1]), header, error };
}

describe('what cannot reach a route', () => {
  it.each([
    ['a path that cannot be decoded', `GET /% HTTP/1.1\r\nhost: x\r\n${CLOSE}\r\n`, 400, 'invalid_url'],
    ['a path that is not UTF-8', `GET /v1/%ff HTTP/1.1\r\nhost: x\r\n${CLOSE}\r\n`, 400, 'invalid_url'],
    ['no path', `OPTIONS * HTTP/1.1\r\nhost: x\r\n${CLOSE}\r\n`, 400, 'invalid_url'],
    ['a fragment', `GET /livez?a=b#c HTTP/1.1\r\nhost: x\r\n${CLOSE}\r\n`, 400, 'invalid_url'],
    ['another scheme', `GET ftp://x/livez HTTP/1.1\r\nhost: x\r\n${CLOSE}\r\n`, 400, 'invalid_url'],
    ['HTTP/2.0', `GET /livez HTTP/2.0\r\nhost: x\r\n${CLOSE}\r\n`, 400, 'malformed_request'],
    ['HTTP/0.9', `GET /livez HTTP/0.9\r\nhost: x\r\n${CLOSE}\r\n`, 400, 'malformed_request'],
    ['HTTP/1.2', `GET /livez HTTP/1.2\r\nhost: x\r\n\r\n`, 400, 'malformed_request'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'malformed_request'],
    ['a null byte in the path', `GET /\0 HTTP/1.1\r\nhost: x\r\n${CLOSE}\r\n`, 400, 'malformed_request'],
    ['a broken request line', 'HELLO\r\n\r\n', 400, 'malformed_request'],
    ['an unknown method', `BREW /livez HTTP/1.1\r\nhost: x\r\n\r\n`, 400, 'malformed_request'],
    ['a broken header', `GET /livez HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n`, 400, 'malformed_request'],
    ['no host', `GET /livez HTTP/1.1\r\n${CLOSE}\r\n`, 400, 'malformed_request'],
    ['two hosts', `GET /livez HTTP/1.1\r\nhost: x\r\nHost: y\r\n${CLOSE}\r\n`, 400, 'malformed_request'],
    [
      'two hosts far apart',
      `GET /livez HTTP/1.1\r\nhost: x\r\n${'a:b\r\n'.repeat(200)}host: y\r\n${CLOSE}\r\n`,
      400,
      'malformed_request',
    ],
    ['two lengths', `${POST}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, 400, 'malformed_request'],
    ['another coding', `${POST}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 400, 'malformed_request'],
    ['another expectation', `${POST}expect: tea\r\ncontent-length: 2\r\n\r\n{}`, 417, 'expectation_failed'],
    ['CONNECT', 'CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n', 405, 'method_not_allowed'],
    [
      'large headers',
      `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ...[254, 2_500].map((more): [string, string, number, string] => [
      `${more + 3} headers`,
      `GET /livez HTTP/1.1\r\nhost: x\r\n${'a:b\r\n'.repeat(more)}${CLOSE}\r\n`,
      431,
      'headers_too_large',
    ]),
    [
      'a broken chunk',
      `${POST}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n`,
      400,
      'malformed_request',
    ],
    ['headers that never end', 'GET /livez HTTP/1.1\r\nhost: x\r\n', 408, 'request_timeout'],
    ['a body that never ends', `${POST}content-length: 20\r\n\r\n{`, 408, 'request_timeout'],
  ])('%s is refused in the envelope, with id, and reported once', async (_, bytes, status, code) => {
    const seen = gate.finished.length;
    const { error, header, status: answered } = parse(await exchange(gate.port, bytes));
    expect([answered, error?.code, error?.type]).toEqual([status, code, 'invalid_request_error']);
    expect([header('x-answered-by'), header('connection')]).toEqual(['gate', 'close']);
    await waitFor(() => gate.finished.length > seen, { what: 'the report' });
    expect(gate.finished.slice(seen)).toEqual([
      expect.objectContaining({ requestId: header('x-request-id'), status, errorCode: code, aborted: false }),
    ]);
    expect(gate.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it.each(['GET /livez HTTP/2.0\r\nhost: x\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'])(
    'names the versions of HTTP that are spoken: %j',
    async (bytes) => {
      const { error } = parse(await exchange(gate.port, bytes));
      expect(error?.message).toContain('Only HTTP/1.1 and HTTP/1.0 are spoken here');
    },
  );

  it('is refused also where nobody reads its body', async () => {
    const seen = gate.finished.length;
    const broken =
      'GET /livez HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n';
    expect(parse(await exchange(gate.port, broken))).toMatchObject({
      status: 400,
      error: { code: 'malformed_request' },
    });
    await waitFor(() => gate.finished.length > seen, { what: 'the report' });
    expect(gate.finished.slice(seen)).toEqual([expect.objectContaining({ status: 400, route: '/livez' })]);
  });

  it.each([1, 3])('does not take the answers to %d proper requests before it', async (count) => {
    const proper = 'GET /v1/slow HTTP/1.1\r\nhost: x\r\nx-api-key: the-key\r\n\r\n';
    const all = await exchange(gate.port, `${proper.repeat(count)}\0\r\n\r\n`);
    expect(all.match(/HTTP\/1\.1 \d+/g)).toEqual(new Array(count).fill('HTTP/1.1 200'));
  });

  it('keeps the id of a caller whose request could be read', async () => {
    const answer = await exchange(
      gate.port,
      `GET /% HTTP/1.1\r\nhost: x\r\nx-request-id: mine\r\n${CLOSE}\r\n`,
    );
    expect(parse(answer).header('x-request-id')).toBe('mine');
  });

  it('is not what merely looks unusual', async () => {
    const upgrade = `GET /livez HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n`;
    const old = 'GET /livez HTTP/1.0\r\n\r\n';
    const absolute = `GET http://x/v1/item/a?b=c HTTP/1.1\r\nhost: x\r\n${CLOSE}\r\n`;
    const bodied = `GET /livez HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n${CLOSE}\r\n{}`;
    const many = `GET /livez HTTP/1.1\r\nhost: x\r\n${'a:b\r\n'.repeat(253)}${CLOSE}\r\n`;
    for (const bytes of [upgrade, old, absolute, bodied, many]) {
      expect(parse(await exchange(gate.port, bytes)).status).toBe(200);
    }
    expect(await exchange(gate.port, absolute)).toContain('{"id":"a","url":"/v1/item/a?b=c"}');
    const long = `GET /v1/item/${'x'.repeat(5_000)} HTTP/1.1\r\nhost: x\r\n${CLOSE}\r\n`;
    expect(parse(await exchange(gate.port, long)).status).toBe(200);
  });

  it('leaves an answer alone that is on its way', async () => {
    const answer = await exchange(
      gate.port,
      'GET /v1/slow HTTP/1.1\r\nhost: x\r\nx-api-key: the-key\r\n\r\n\0\0\0',
    );
    expect(parse(answer).status).toBe(200);
  });
});

describe('Expect: 100-continue', () => {
  const KEY = 'x-api-key: the-key\r\n';
  const JSON_TYPE = 'content-type: application/json\r\n';
  const ask = async (head: string) => {
    const socket = await openConnection(gate.port);
    socket.write(`POST /v1/echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n${head}\r\n`);
    const [first] = (await once(socket, 'data')) as [Buffer];
    return { socket, first: first.toString() };
  };

  it('is answered where the body will be read', async () => {
    const { socket, first } = await ask(
      'x-api-key: the-key\r\ncontent-type: application/json\r\ncontent-length: 2\r\n',
    );
    expect(first).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('{}');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 200 OK/);
    socket.destroy();
  });

  it.each([
    ['a stranger', `${JSON_TYPE}content-length: 2\r\n`, 401],
    ['a body that is too large', `${KEY}${JSON_TYPE}content-length: 900000\r\n`, 413],
    ['another media type', `${KEY}content-type: text/xml\r\ncontent-length: 2\r\n`, 415],
    ['no media type', `${KEY}transfer-encoding: chunked\r\n`, 415],
    ['another encoding', `${KEY}${JSON_TYPE}content-encoding: br\r\ncontent-length: 2\r\n`, 415],
  ])('gets the refusal instead for %s', async (_, head, status) => {
    const { socket, first } = await ask(head);
    expect(first).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(first).toMatch(/^connection: close/im);
    socket.destroy();
  });
});

describe('a caller who leaves in mid-upload', () => {
  it.each([
    ['content-length: 100000', 'destroy', '{"a":'],
    ['transfer-encoding: chunked', 'destroy', '5\r\n{"a":'],
    ['content-length: 100000', 'resetAndDestroy', '{"a":'],
  ] as const)('with %s by %s is 499, and no error', async (framing, leave, begun) => {
    const seen = gate.finished.length;
    const socket = await openConnection(gate.port);
    socket.write(`${POST}${framing}\r\n\r\n${begun}`);
    await waitFor(() => gate.drain.inFlight === 1, { what: 'the request' });
    socket[leave]();
    await waitFor(() => gate.finished.length > seen, { what: 'the report' });
    expect(gate.finished.slice(seen)).toEqual([expect.objectContaining({ status: 499, aborted: true })]);
    await waitFor(() => gate.drain.inFlight === 0, { what: 'the end' });
    expect(gate.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
