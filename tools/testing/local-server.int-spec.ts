import { expect, it } from '@jest/globals';
import { connect, createServer } from 'node:net';
import { listen } from './local-server.ts';
import { waitFor } from './wait-for.ts';

it('knows its connections, and closing it cuts them, whatever they are in', async () => {
  const server = await listen((_, response) => response.write('the first part'));
  const origin = server.origin;
  const responses = await Promise.all([fetch(origin), fetch(origin)]);
  expect([server.accepted, server.sockets.size]).toEqual([2, 2]);
  await server.close();
  for (const response of responses) await expect(response.text()).rejects.toThrow('terminated');
  expect([server.accepted, server.sockets.size]).toEqual([2, 0]);
  await expect(fetch(origin)).rejects.toThrow('fetch failed');
  await server.close();
});

it('takes a client that cuts its connection for no fault', async () => {
  await using server = await listen(createServer((socket) => socket.resume()));
  const client = connect(server.port, '127.0.0.1');
  await waitFor(() => server.sockets.size === 1, { what: 'a connection' });
  client.resetAndDestroy();
  await waitFor(() => server.sockets.size === 0, { what: 'its end' });
});
