import { describe, expect, it } from '@jest/globals';
import { Metrics } from '@morgan/telemetry';
import { callThrough, settle } from '../fixture/calls.ts';
import { AdaptiveTimeout } from './adaptive-timeout.ts';
import { Bulkhead } from './bulkhead.ts';
import { ConcurrencyMetrics } from './concurrency-metrics.ts';
import { KeyedPolicy } from './keyed-policy.ts';

describe('the metrics of concurrency', () => {
  it('show occupancy, refusals and waits under the configured name, never under a key', async () => {
    const registry = new Metrics();
    const metrics = new ConcurrencyMetrics(registry);
    const create = () =>
      new Bulkhead({ name: 'tenants', config: { maxConcurrent: 1, maxQueue: 1 }, metrics });
    const tenants = new KeyedPolicy({ create });
    metrics.watch('tenants', () => tenants.values());
    const [first] = ['secret-a', 'secret-a', 'secret-b'].map((key) => callThrough(tenants.for(key)));
    await expect(callThrough(tenants.for('secret-a')).result).rejects.toThrow('queue is full');

    const before = await registry.render();
    expect(before).toContain('morgan_concurrency_running{bulkhead="tenants"} 2');
    expect(before).toContain('morgan_concurrency_waiting{bulkhead="tenants"} 1');
    expect(before).toContain('morgan_concurrency_limit{bulkhead="tenants"} 2');
    expect(before).toContain('morgan_concurrency_refusals_total{bulkhead="tenants",reason="full"} 1');
    expect(before).not.toContain('secret');

    first?.finish();
    await settle();
    const after = await registry.render();
    expect(after).toContain('morgan_concurrency_waiting{bulkhead="tenants"} 0');
    expect(after).toContain('morgan_concurrency_queue_wait_seconds_count{bulkhead="tenants"} 1');
  });

  it('show waits in seconds', async () => {
    const registry = new Metrics();
    new ConcurrencyMetrics(registry).waited('tenants', 1_500);
    expect(await registry.render()).toContain(
      'morgan_concurrency_queue_wait_seconds_sum{bulkhead="tenants"} 1.5',
    );
  });

  it('count attempts that were cut', async () => {
    const registry = new Metrics();
    const config = { quantile: 0.5, factor: 1, floorMs: 1, ceilingMs: 1, minSamples: 1 };
    const timeout = new AdaptiveTimeout({ name: 'host', config, metrics: new ConcurrencyMetrics(registry) });
    const call = callThrough(timeout);
    // The timeout lets the process end; a test must not.
    const alive = setInterval(() => undefined, 1_000);
    await expect(call.result).rejects.toMatchObject({ code: 'attempt_timeout' });
    clearInterval(alive);
    expect(await registry.render()).toContain('morgan_concurrency_attempt_timeouts_total{timeout="host"} 1');
  });
});
