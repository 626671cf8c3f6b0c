import type { TargetStatus } from '@morgan/health-monitor';
import type { OriginStatus } from '@morgan/http-transport';
import type { HedgeStatus, RetryStatus } from '@morgan/retry';
import type { AttemptPoliciesStatus } from './attempt-policies.ts';
import type { CallFigures } from './call-statistics.ts';

/** Everything that can be said about a client right now. What is not configured is left out. */
export interface HttpClientStatus extends CallFigures, AttemptPoliciesStatus {
  readonly serviceName: string;
  readonly baseUrl: string;
  readonly state: 'open' | 'closed';
  readonly retry: RetryStatus;
  readonly pool: OriginStatus;
  readonly hedge?: HedgeStatus;
  readonly health?: TargetStatus;
}
