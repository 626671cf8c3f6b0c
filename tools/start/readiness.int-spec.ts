import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { untilReady } from './readiness.ts';

describe('untilReady', () => {
  const statuses: number[] = [];
  const server = createServer((_, response) => response.writeHead(statuses.shift() ?? 503).end('{}'));
  let url: string;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  it('outlasts 503', async () => {
    statuses.push(503, 503, 200);
    await untilReady('it', url, new AbortController().signal);
    expect(statuses).toEqual([]);
  });

  it('ends with the reason of the signal', async () => {
    const over = new AbortController();
    const waiting = untilReady('it', url, over.signal);
    over.abort(new Error('it died'));
    await expect(waiting).rejects.toThrow('it died');
  });
});
