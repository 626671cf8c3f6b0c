import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer, runSourceProgram, seededRandom, waitFor } from '@morgan/testing';
import { makeMixedCalls, rightResponse } from '../fixture/mixed-calls.ts';
import { HttpClient } from './http-client.ts';

const MAX_CONNECTIONS = 8;

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
  // A response that nobody has asked for, behind the right one.
  raw((body) => head(body.length) + body + head(4) + 'evil'),
];

describe.each([1, 2])(
  'three hundred calls to a server that does everything wrong in turn (seed %i)',
  (seed) => {
    let server: LocalServer;
    /** How often the server was asked for each id. */
    let asked: Map<string, number>;

    beforeEach(async () => {
      const random = seededRandom(seed);
      asked = new Map();
      const serve = async (request: IncomingMessage, response: ServerResponse) => {
        const id = request.url ?? '';
        asked.set(id, (asked.get(id) ?? 0) + 1);
        const misdeed = MISDEEDS[Math.floor(random() * MISDEEDS.length)] as Misdeed;
        const { length } = await buffer(request);
        misdeed(response, rightResponse(id, length));
      };
      // A client that gave up while it was still sending is nobody's loss.
      server = await listen((request, response) => serve(request, response).catch(() => undefined));
    });
    afterEach(() => server.close());

    it('each end once: with their own answer or with one typed error, and nothing is left', async () => {
      await using client = new HttpClient({
        serviceName: 'bad',
        baseUrl: server.origin,
        pool: { maxConnections: MAX_CONNECTIONS },
        retry: { baseDelayMs: 1, budget: { ratio: 1, minPerSecond: 1_000 } },
        circuitBreaker: { failureThreshold: 1_000_000 },
      });
      const { calls, ok, failed, cancelled, wrong, once } = await makeMixedCalls(client, seed + 1_000);

      expect(wrong).toBe(0);
      expect(ok + failed + cancelled).toBe(calls);
      expect(ok).toBeGreaterThan(0);
      expect(client.getStatus()).toMatchObject({ requests: calls, errors: failed, inFlight: 0 });
      expect(client.connections.waiting).toBe(0);
      expect(client.connections.connected).toBeLessThanOrEqual(MAX_CONNECTIONS);
      expect(Math.max(...once.map((id) => asked.get(id) ?? 0))).toBe(1);
      expect(Math.max(...asked.values())).toBeGreaterThan(1);

      await client.stop();
      await waitFor(() => server.sockets.size === 0, { what: 'no connection' });
    });

    it('the same over HTTP/2, and idle connections end', async () => {
      const program = join(import.meta.dirname, '../fixture/http2-calls.ts');
      const report = JSON.parse(await runSourceProgram(program, String(seed))) as Record<string, number>;
      const { calls = NaN, ok = NaN, failed = NaN, cancelled = NaN } = report;
      expect(report).toMatchObject({ wrong: 0, once: 0, requests: calls, errors: failed });
      expect(report).toMatchObject({ inFlight: 0, running: 0, waiting: 0 });
      expect(ok + failed + cancelled).toBe(calls);
      expect(ok).toBeGreaterThan(0);
    });
  },
);
