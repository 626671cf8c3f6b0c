import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Metrics } from '@morgan/telemetry';
import { RateLimiterMetrics } from './rate-limiter-metrics.ts';
import { RateLimiter } from './rate-limiter.ts';
import { rateLimiterConfig } from './rate-limiter.config.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('the metrics of limiters', () => {
  it('count decisions and waits by limiter, and never name a key', async () => {
    const registry = new Metrics();
    const metrics = new RateLimiterMetrics(registry);
    const config = rateLimiterConfig.parse({ limit: 100, burst: 2 });
    const [hosts, tenants] = ['hosts', 'tenants'].map(
      (name) => new RateLimiter({ name, ...config, metrics }),
    );
    await hosts?.acquire('secret-host', 2);
    await hosts?.tryAcquire('secret-host');
    const waiting = hosts?.acquire('secret-host');
    await jest.advanceTimersByTimeAsync(10);
    await waiting;
    await tenants?.acquire('secret-tenant');
    const text = await registry.render();
    expect(text).toContain('morgan_rate_limiter_decisions_total{limiter="hosts",outcome="admitted"} 2');
    expect(text).toContain('morgan_rate_limiter_decisions_total{limiter="hosts",outcome="refused"} 1');
    expect(text).toContain('morgan_rate_limiter_decisions_total{limiter="tenants",outcome="admitted"} 1');
    expect(text).toContain('morgan_rate_limiter_wait_seconds_count{limiter="hosts"} 1');
    expect(text).toContain('morgan_rate_limiter_wait_seconds_sum{limiter="hosts"} 0.01');
    expect(text).toContain('morgan_rate_limiter_keys{limiter="tenants"} 1');
    expect(text).toContain('morgan_rate_limiter_degraded{limiter="hosts"} 0');
    expect(text).not.toContain('secret');
    metrics.waited('tenants', 1_500);
    expect(await registry.render()).toContain('morgan_rate_limiter_wait_seconds_sum{limiter="tenants"} 1.5');
  });
});
