import { describe, expect, it } from '@jest/globals';
import { listen, waitFor } from '@morgan/testing';
import { GatewayWatch } from './gateway-watch.ts';

describe('the watch of a gateway', () => {
  it('notes what readiness says, and how long the machine stood still', async () => {
    const asked: number[] = [];
    await using server = await listen((_, response) => {
      asked.push(performance.now());
      const isSlow = asked.length === 2;
      setTimeout(() => response.writeHead(asked.length > 2 ? 503 : 200).end(), isSlow ? 600 : 0);
    });
    const watch = new GatewayWatch(server.origin);
    const before = performance.now();
    await waitFor(() => watch.unready.length > 0, { what: 'a refusal' });
    watch.stop();
    expect(watch.unready[0]).toContain('503');
    // Timers may fire a millisecond early.
    expect(watch.stalledMs(before, performance.now())).toBeGreaterThanOrEqual(575);
    expect(watch.stalledMs(before - 10, before - 5)).toBe(0);
  });
});
