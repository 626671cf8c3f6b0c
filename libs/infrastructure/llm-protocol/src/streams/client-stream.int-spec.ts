import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { listen } from '@morgan/testing';
import { chatDialect } from '../dialects/chat.dialect.ts';
import { ClientStream } from './client-stream.ts';

const PIECE = Buffer.from(`data: ${'x'.repeat(1_000)}\n\n`);

it('tells of a reader who does not even take the error', async () => {
  const server = await listen(createServer());
  const reader = connect(server.port, '127.0.0.1').on('error', () => undefined);
  try {
    const asked = once(server.server, 'request');
    reader.pause().write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    const [, response] = (await asked) as [unknown, ServerResponse];
    let timesFull = 0;
    const client = new ClientStream(response, {
      dialect: chatDialect,
      writeHead: () => response.writeHead(200),
      keepAliveMs: 60_000,
      earlyKeepAliveMs: Infinity,
      onFull: () => (timesFull += 1),
    });
    // The system has taken what it can hold, and this process holds less than would stop the host.
    while (response.writableLength === 0) {
      client.send(PIECE);
      client.flush();
      await nextTurn();
    }
    expect([client.isFull, timesFull]).toEqual([false, 0]);
    client.fail({ status: 502, type: undefined, code: undefined, message: 'broken' }, 0);
    expect(timesFull).toBe(1);
  } finally {
    reader.destroy();
    await server.close();
  }
});
