import 'reflect-metadata';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { waitFor } from '@morgan/testing';
import { HttpTransportModule } from './http-transport.module.ts';
import { HttpTransport } from './http-transport.ts';

it('the module provides a transport, and its shutdown waits for what is in flight and leaves no connection', async () => {
  const held: ServerResponse[] = [];
  const server = createServer((_, response) => void held.push(response)).listen(0, '127.0.0.1');
  let open = 0;
  server.on('connection', (socket) => {
    open += 1;
    socket.on('close', () => (open -= 1));
  });
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const imports = [HttpTransportModule.register({ maxConnections: 1 }, 5_000)];
  const context = await Test.createTestingModule({ imports }).compile();
  const transport = context.get(HttpTransport);
  const request = { origin, path: '/', method: 'GET' } as const;
  const sent = transport.request(request);
  await waitFor(() => held.length === 1, { what: 'the request' });

  const closed = context.close();
  await waitFor(() => Object.keys(transport.getStatus()).length === 0, { what: 'the shutdown' });
  await expect(transport.request(request)).rejects.toMatchObject({ reason: 'closed' });
  held[0]?.end('ok');
  expect(String(await (await sent).bytes())).toBe('ok');
  await closed;
  await waitFor(() => open === 0, { what: 'no connection left' });
  await new Promise((resolve) => server.close(resolve));
});
