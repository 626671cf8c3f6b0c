import { CircuitBreakerMetrics } from '@morgan/circuit-breaker';
import { ConcurrencyMetrics } from '@morgan/concurrency';
import { HealthMetrics } from '@morgan/health-monitor';
import type { AttemptPolicyMetrics } from '@morgan/http-client';
import { HttpTransportMetrics } from '@morgan/http-transport';
import { RateLimiterMetrics } from '@morgan/rate-limiter';
import { RetryBudgetMetrics } from '@morgan/retry';
import type { Metrics } from '@morgan/telemetry';
import { HostMetrics } from '../hosts/host-metrics.ts';

/** The metrics that clients write to, made once per process and shared by all of them. */
export class DistributedLlmMetrics {
  readonly hosts: HostMetrics;
  readonly health: HealthMetrics;
  readonly policies: AttemptPolicyMetrics;
  readonly budget: RetryBudgetMetrics;
  readonly transport: HttpTransportMetrics;

  constructor(metrics: Metrics) {
    this.hosts = new HostMetrics(metrics);
    this.health = new HealthMetrics(metrics);
    this.policies = {
      breaker: new CircuitBreakerMetrics(metrics),
      limiter: new RateLimiterMetrics(metrics),
      concurrency: new ConcurrencyMetrics(metrics),
    };
    this.budget = new RetryBudgetMetrics(metrics);
    this.transport = new HttpTransportMetrics(metrics);
  }
}
