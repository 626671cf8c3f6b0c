import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, it } from '@jest/globals';
import { watchHosts } from '../example.ts';

const servers: Server[] = [];

afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

async function hostOf(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

it('the example of the README runs', async () => {
  const text = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
  expect(text('README.md')).toContain(text('example.ts').replace('./src/index.ts', '@morgan/health-monitor'));
  expect(text('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(60);

  const lines: string[] = [];
  const gpu1 = await hostOf((_, response) => response.end('{}'));
  const gpu2 = await hostOf((_, response) => response.writeHead(503).end());
  const check = await watchHosts(gpu1, gpu2, (line) => lines.push(line));
  expect(lines.slice(0, 2).toSorted()).toEqual([
    'gpu1: UNKNOWN -> HEALTHY, first_outcome',
    'gpu2: UNKNOWN -> UNHEALTHY, first_outcome',
  ]);
  expect(lines.slice(2)).toEqual(['DEGRADED, 2 targets, weight of gpu2: 0']);
  expect(check.read()).toEqual({ up: true, details: { gpu1: 'HEALTHY', gpu2: 'UNHEALTHY' } });
});
