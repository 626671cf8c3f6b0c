import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { GatewayWatch } from './gateway-watch.ts';

describe('the watch of a gateway', () => {
  it('notes what readiness says, and how long the machine stood still', async () => {
    const asked: number[] = [];
    const server = createServer((_, response) => {
      asked.push(performance.now());
      const isSlow = asked.length === 2;
      setTimeout(() => response.writeHead(asked.length > 2 ? 503 : 200).end(), isSlow ? 600 : 0);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const watch = new GatewayWatch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const before = performance.now();
    await waitFor(() => watch.unready.length > 0, { what: 'a refusal' });
    watch.stop();
    server.closeAllConnections();
    server.close();
    expect(watch.unready[0]).toContain('503');
    // Timers may fire a millisecond early.
    expect(watch.stalledMs(before, performance.now())).toBeGreaterThanOrEqual(575);
    expect(watch.stalledMs(before - 10, before - 5)).toBe(0);
  });
});
