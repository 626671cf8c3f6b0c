import { expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { redisCommand } from './redis-command.ts';

it.each([
  ['ends the connection', (socket: Socket) => socket.end()],
  ['resets the connection', (socket: Socket) => socket.resetAndDestroy()],
])('fails where the server reads the command and %s', async (_, hangUp) => {
  const server = createServer((socket) => socket.once('data', () => hangUp(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(redisCommand(`redis://127.0.0.1:${port}`, 'PING')).rejects.toThrow(
    /without an answer|ECONNRESET/,
  );
  await new Promise((resolve) => server.close(resolve));
});
