import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import { HttpTransport } from './http-transport.ts';
import type { TransportRequest } from './request-sender.ts';

const HINT = 'HTTP/1.1 103 Early Hints\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a server that is after the time of its clients', () => {
  let server: LocalServer;
  let transport: HttpTransport;
  let answer: (socket: Socket) => void;

  beforeEach(async () => {
    server = await listen(createServer((socket) => socket.on('data', () => answer(socket))));
    transport = new HttpTransport();
  });
  afterEach(async () => {
    await transport.close(0);
    await server.close();
  });

  const ask = (options: Partial<TransportRequest> = {}) =>
    transport.request({
      origin: server.origin,
      path: '/',
      method: 'GET',
      ...options,
    });

  it('may give a thousand hints before its response, and no more', async () => {
    answer = (socket) => socket.write(HINT.repeat(1_000) + ANSWER);
    expect((await (await ask()).bytes()).toString()).toBe('ok');
    answer = (socket) => socket.write(HINT.repeat(1_001) + ANSWER);
    await expect(ask()).rejects.toMatchObject({ reason: 'bad_response', beforeResponse: true });
  });

  it.each(['', 'Connection: keep-alive\r\n'])(
    'may answer without reading the request, which then stands in front of no other: %j',
    async (header) => {
      await transport.close(0);
      transport = new HttpTransport({ writeTimeoutMs: null, readTimeoutMs: 5_000 });
      answer = (socket) => {
        socket.pause().write(`HTTP/1.1 413 X\r\n${header}Content-Length: 2\r\n\r\nno`);
      };
      const upload = () => ask({ method: 'POST', body: Buffer.alloc(64 * 1024 * 1024) });
      for (let time = 0; time < 2; time += 1) expect((await (await upload()).bytes()).toString()).toBe('no');
      answer = (socket) => socket.write(ANSWER);
      expect((await (await ask()).bytes()).toString()).toBe('ok');
      // What was not sent is not kept either.
      await waitFor(() => Object.values(transport.getStatus()).every(({ connected }) => connected === 1), {
        what: 'the end of the connections that were not read',
      });
    },
  );
});
