import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { HttpClient } from './http-client.ts';
import { HTTP_ERROR_CATEGORIES, HttpClientError } from './http-client-error.ts';

const CALLS = 600;
const AT_ONCE = 40;
const MAX_CONNECTIONS = 8;

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What the server does with a request, whose right answer is `body`. */
type Misdeed = (response: ServerResponse, body: string) => void;

const raw: (bytes: (body: string) => string) => Misdeed = (bytes) => (response, body) =>
  void response.socket?.write(bytes(body));
const head = (length: number) => `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`;

const MISDEEDS: readonly Misdeed[] = [
  // Not one of them: more than half of all answers are good.
  ...Array.from({ length: 12 }, (): Misdeed => (response, body) => void response.end(body)),
  (response, body) => void response.setHeader('connection', 'close').end(body),
  // Closed for idleness, perhaps while the next request is on its way.
  (response, body) => void response.end(body, () => setImmediate(() => response.socket?.destroy())),
  (response, body) => void setTimeout(() => response.end(body), 30),
  (response) => void response.writeHead(503).end('x'.repeat(100_000)),
  (response) => void response.writeHead(429, { 'retry-after-ms': '5' }).end(),
  (response) => void response.writeHead(404).end('not here'),
  (response) => void response.socket?.resetAndDestroy(),
  (response) => void response.socket?.end(),
  () => undefined,
  (response, body) => {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.slice(0, body.length / 2), () => response.socket?.resetAndDestroy());
  },
  (response, body) => void response.socket?.end(head(body.length + 1) + body),
  raw(() => 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'),
  raw(() => 'this is not HTTP\r\n\r\n'),
  // An answer that nobody has asked for, behind the right one.
  raw((body) => head(body.length) + body + head(4) + 'evil'),
];

describe.each([1, 2, 3])(
  'six hundred calls to a server that does everything wrong in turn (seed %i)',
  (seed) => {
    let server: Server;
    /** How often the server was asked for each id. */
    let asked: Map<string, number>;
    let open: number;

    beforeEach(async () => {
      const random = seededRandom(seed);
      asked = new Map();
      open = 0;
      const serve = async (request: IncomingMessage, response: ServerResponse) => {
        const id = request.url ?? '';
        asked.set(id, (asked.get(id) ?? 0) + 1);
        const misdeed = MISDEEDS[Math.floor(random() * MISDEEDS.length)] as Misdeed;
        const { length } = await buffer(request);
        misdeed(response, JSON.stringify({ id, length }));
      };
      // A client that gave up while it was still sending is nobody's loss.
      server = createServer((request, response) => void serve(request, response).catch(() => undefined));
      server.on('connection', (socket) => {
        open += 1;
        socket.on('close', () => (open -= 1));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    it('each end once: with their own answer or with one typed error, and nothing is left', async () => {
      await using client = new HttpClient({
        serviceName: 'bad',
        baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        pool: { maxConnections: MAX_CONNECTIONS },
        retry: { baseDelayMs: 1, budget: { ratio: 1, minPerSecond: 1_000 } },
        circuitBreaker: { failureThreshold: 1_000_000 },
      });
      const random = seededRandom(seed + 1_000);
      const ends = { ok: 0, cancelled: 0, failed: 0 };
      const once: string[] = [];

      const call = async (number: number) => {
        const id = `/${number}`;
        const json = 'x'.repeat(Math.floor(random() ** 4 * 300_000));
        const idempotent = random() > 0.3;
        const signal = random() < 0.15 ? AbortSignal.timeout(Math.floor(random() * 60)) : undefined;
        if (!idempotent) once.push(id);
        try {
          const response = await client.post(id, { json, idempotent, signal, timeoutMs: 200 });
          expect(response.json()).toEqual({ id, length: json.length + 2 });
          ends.ok += 1;
        } catch (error) {
          if (!(error instanceof HttpClientError)) throw error;
          expect(HTTP_ERROR_CATEGORIES).toContain(error.category);
          ends[error.category === 'cancelled' ? 'cancelled' : 'failed'] += 1;
        }
      };
      let next = 0;
      const caller = async () => {
        while (next < CALLS) await call((next += 1));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, caller));

      expect(ends.ok + ends.cancelled + ends.failed).toBe(next);
      expect(ends.ok).toBeGreaterThan(CALLS / 5);
      expect(client.getStatus()).toMatchObject({ requests: next, errors: ends.failed, inFlight: 0 });
      expect(client.connections.waiting).toBe(0);
      expect(client.connections.connected).toBeLessThanOrEqual(MAX_CONNECTIONS);
      expect(Math.max(...once.map((id) => asked.get(id) ?? 0))).toBe(1);
      expect(Math.max(...asked.values())).toBeGreaterThan(1);

      await client.stop();
      await waitFor(() => open === 0, { what: 'no connection' });
    });
  },
);
