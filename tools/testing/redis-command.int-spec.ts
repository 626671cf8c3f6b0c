import { expect, it } from '@jest/globals';
import { createServer, type Socket } from 'node:net';
import { listen } from './local-server.ts';
import { redisCommand } from './redis-command.ts';

it.each([
  ['ends the connection', (socket: Socket) => socket.end()],
  ['resets the connection', (socket: Socket) => socket.resetAndDestroy()],
])('fails where the server reads the command and %s', async (_, hangUp) => {
  await using server = await listen(createServer((socket) => socket.once('data', () => hangUp(socket))));
  await expect(redisCommand(`redis://127.0.0.1:${server.port}`, 'PING')).rejects.toThrow(
    /without an answer|ECONNRESET/,
  );
});
