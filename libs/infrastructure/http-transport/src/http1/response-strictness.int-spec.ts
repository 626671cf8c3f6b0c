import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { listen, type LocalServer, seededRandom } from '@morgan/testing';
import { HttpTransport } from '../http-transport.ts';

const JSON_TYPE = 'Content-Type: application/json\r\n';
const RESPONSES = [
  `HTTP/1.1 200 OK\r\n${JSON_TYPE}Content-Length: 10\r\n\r\n0123456789`,
  `HTTP/1.1 429 Too Many Requests\r\n${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n006\r\n456789\r\n0\r\n\r\n`,
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX-Trailer: a\r\n\r\n`,
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
];

let server: LocalServer;
let origin: string;
let next = '';

beforeAll(async () => {
  server = await listen(createServer((socket) => socket.once('data', () => socket.end(next, 'latin1'))));
  ({ origin } = server);
});
afterAll(() => server.close());

async function byNode(): Promise<unknown[]> {
  const request = get(origin, { agent: false });
  // What comes behind the response is its fault as well.
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return [response.statusCode, response.rawHeaders, String(await buffer(response))];
}

async function byUs(transport: HttpTransport): Promise<unknown[]> {
  const headers = ['connection', 'close'];
  const response = await transport.request({ origin, path: '/', method: 'GET', headers });
  return [response.status, response.rawHeaders, String(await response.bytes())];
}

it('a response in which one byte is wrong is taken only where Node takes it too, and for the same one', async () => {
  await using transport = new HttpTransport();
  const random = seededRandom(5);
  const below = (most: number) => Math.floor(random() * most);
  let [taken, refused] = [0, 0];
  for (let time = 0; time < 600; time += 1) {
    const good = RESPONSES[time % RESPONSES.length] as string;
    const at = below(good.length);
    const byte = below(3) === 0 ? '' : String.fromCharCode(below(256));
    next = good.slice(0, at) + byte + good.slice(at + 1);
    const ours = await byUs(transport).catch(() => undefined);
    if (ours) expect([next, ours]).toEqual([next, await byNode().catch(String)]);
    if (ours) taken += 1;
    else refused += 1;
  }
  expect([taken, refused].every((count) => count > 100)).toBe(true);
});
