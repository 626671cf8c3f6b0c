import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpTransport } from './http-transport.ts';

const HINT = 'HTTP/1.1 103 Early Hints\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a server that is after the time of its clients', () => {
  let server: Server;
  let transport: HttpTransport;
  let answer: (socket: Socket) => void;

  beforeEach(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => answer(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    transport = new HttpTransport();
  });
  afterEach(async () => {
    await transport.close(0);
    server.close();
  });

  const ask = () =>
    transport.request({
      origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      path: '/',
      method: 'GET',
    });

  it('may give a thousand hints before its response, and no more', async () => {
    answer = (socket) => socket.write(HINT.repeat(1_000) + ANSWER);
    expect((await (await ask()).bytes()).toString()).toBe('ok');
    answer = (socket) => socket.write(HINT.repeat(1_001) + ANSWER);
    await expect(ask()).rejects.toMatchObject({ reason: 'bad_response', beforeResponse: true });
  });
});
