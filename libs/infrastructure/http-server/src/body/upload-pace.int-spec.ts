import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { busy, listen } from '@morgan/testing';
import { UploadPace } from './upload-pace.ts';

const WINDOW_MS = 1_000;

it('is that of the sender, also where this process stands still for longer than a window', async () => {
  const refused: string[] = [];
  const options = { minBytesPerSecond: 100, rateWindowMs: WINDOW_MS, isPaused: () => false };
  const pace = new UploadPace(
    { ...options, tooSlow: () => undefined },
    ({ code }) => void refused.push(code),
  );
  const raw = createServer();
  await using server = await listen(raw);
  const accepted = once(raw, 'connection');
  const sender = connect(server.port, '127.0.0.1');
  const [socket] = (await accepted) as [Socket];
  const read = once(
    socket.on('data', (bytes) => pace.received(bytes.length)),
    'data',
  );
  pace.start();
  sender.write('x'.repeat(100));
  busy(WINDOW_MS + 100);
  await read;
  await nextTurn();
  pace.stop();
  sender.destroy();
  expect(refused).toEqual([]);
});
