import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { listen, waitFor } from '@morgan/testing';
import { atEndOfTurn } from './end-of-turn.ts';

describe('the end of a turn of the event loop', () => {
  it('comes when everything of it has been handed out, and its works are done in their order', async () => {
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      for (const name of ['first', 'second'])
        atEndOfTurn(() => {
          order.push(name);
          // In the next turn.
          if (name === 'second') atEndOfTurn(() => resolve(void order.push('later')));
        });
    });
    void Promise.resolve().then(() => order.push('promise'));
    await done;
    expect(order).toEqual(['promise', 'first', 'second', 'later']);
  });

  it('comes behind all sockets that had something to read', async () => {
    const order: string[] = [];
    let left = 2;
    const raw = createServer((socket) => {
      socket.on('data', () => {
        order.push('read');
        atEndOfTurn(() => {
          order.push('written');
          socket.end();
        });
      });
    });
    await using server = await listen(raw);
    const { port } = server;
    const sockets: Socket[] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const closed = new Promise<void>((resolve) => {
      for (const socket of sockets) socket.resume().once('close', () => (left -= 1) === 0 && resolve());
    });
    await waitFor(() => server.accepted === 2, { what: 'both accepted' });
    for (const socket of sockets) socket.write('x');
    // Both are there before the loop turns to sockets again.
    await closed;
    expect(order).toEqual(['read', 'read', 'written', 'written']);
  });
});
