import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Metrics } from '@morgan/telemetry';
import { callThrough, settle } from '../fixture/calls.ts';
import { AdaptiveBulkhead } from './adaptive-bulkhead.ts';
import { AdaptiveTimeout } from './adaptive-timeout.ts';
import { Bulkhead } from './bulkhead.ts';
import { ConcurrencyMetrics } from './concurrency-metrics.ts';

describe('the metrics of concurrency', () => {
  afterEach(() => void jest.useRealTimers());

  it('show occupancy, refusals and waits under the configured name, until it stops', async () => {
    const registry = new Metrics();
    const metrics = new ConcurrencyMetrics(registry);
    const host = new Bulkhead({ name: 'host', maxConcurrent: 1, maxQueue: 1, metrics });
    const [first] = [callThrough(host), callThrough(host)];
    await expect(callThrough(host).result).rejects.toThrow('queue is full');

    const before = await registry.render();
    expect(before).toContain('morgan_concurrency_running{bulkhead="host"} 1');
    expect(before).toContain('morgan_concurrency_waiting{bulkhead="host"} 1');
    expect(before).toContain('morgan_concurrency_limit{bulkhead="host"} 1');
    expect(before).toContain('morgan_concurrency_refusals_total{bulkhead="host",reason="full"} 1');

    first?.finish();
    await settle();
    const after = await registry.render();
    expect(after).toContain('morgan_concurrency_waiting{bulkhead="host"} 0');
    expect(after).toContain('morgan_concurrency_queue_wait_seconds_count{bulkhead="host"} 1');
    host.stop();
    expect(await registry.render()).not.toContain('morgan_concurrency_limit{');
  });

  it('show a bulkhead that finds its limit by itself alike', async () => {
    const registry = new Metrics();
    const host = new AdaptiveBulkhead({ name: 'host', metrics: new ConcurrencyMetrics(registry) });
    const { maxConcurrent } = host.getStatus();
    expect(await registry.render()).toContain(`morgan_concurrency_limit{bulkhead="host"} ${maxConcurrent}`);
    host.stop();
    expect(await registry.render()).not.toContain('morgan_concurrency_limit{');
  });

  it('show waits in seconds', async () => {
    jest.useFakeTimers();
    const registry = new Metrics();
    const metrics = new ConcurrencyMetrics(registry);
    const host = new Bulkhead({ name: 'host', maxConcurrent: 1, maxQueue: 1, metrics });
    const [first] = [callThrough(host), callThrough(host)];
    jest.advanceTimersByTime(1_500);
    first?.finish();
    await settle();
    expect(await registry.render()).toContain(
      'morgan_concurrency_queue_wait_seconds_sum{bulkhead="host"} 1.5',
    );
  });

  it('count attempts that were cut', async () => {
    const registry = new Metrics();
    const config = { quantile: 0.5, factor: 1, floorMs: 1, ceilingMs: 1, minSamples: 1 };
    const timeout = new AdaptiveTimeout({
      name: 'host',
      ...config,
      metrics: new ConcurrencyMetrics(registry),
    });
    const call = callThrough(timeout);
    // The timeout lets the process end; a test must not.
    const alive = setInterval(() => undefined, 1_000);
    await expect(call.result).rejects.toMatchObject({ code: 'attempt_timeout' });
    clearInterval(alive);
    expect(await registry.render()).toContain('morgan_concurrency_attempt_timeouts_total{timeout="host"} 1');
  });
});
