import type { CircuitStatus } from '@morgan/circuit-breaker';
import type { AdaptiveBulkheadStatus, AdaptiveTimeoutStatus, BulkheadStatus } from '@morgan/concurrency';
import type { TargetStatus } from '@morgan/health-monitor';
import type { OriginStatus } from '@morgan/http-transport';
import type { RateLimiterStatus } from '@morgan/rate-limiter';
import type { HedgeStatus, RetryStatus } from '@morgan/retry';
import type { CallFigures } from './call-statistics.ts';

/** Everything that can be said about a client right now. What is not configured is left out. */
export interface HttpClientStatus extends CallFigures {
  readonly serviceName: string;
  readonly baseUrl: string;
  readonly state: 'open' | 'closed';
  readonly circuitBreaker: CircuitStatus;
  readonly retry: RetryStatus;
  readonly pool: OriginStatus;
  readonly rateLimit?: RateLimiterStatus;
  readonly concurrency?: BulkheadStatus | AdaptiveBulkheadStatus;
  readonly adaptiveTimeout?: AdaptiveTimeoutStatus;
  readonly hedge?: HedgeStatus;
  readonly health?: TargetStatus;
}
