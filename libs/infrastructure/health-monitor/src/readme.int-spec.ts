import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { runReadmeExample } from '@morgan/testing';

const servers: Server[] = [];

afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

async function hostOf(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('the example of the README runs and prints what its comments say', async () => {
  const instead = {
    'http://10.0.0.1:8000': await hostOf((_, response) => response.end('{}')),
    'http://10.0.0.2:8000': await hostOf((_, response) => response.writeHead(503).end()),
  };
  const { said, printed } = await runReadmeExample(join(import.meta.dirname, '../README.md'), instead);
  expect(said).toHaveLength(2);
  expect(printed).toEqual(said);
});
