import type { Logger } from '@morgan/foundation';
import type { RetryBudget } from '@morgan/retry';
import type { HostMetrics } from '../hosts/host-metrics.ts';
import type { Route } from '../routing/route-table.ts';
import type { TargetSelector } from '../routing/target-selector.ts';
import type { CallTraits } from '../strategies/strategy.ts';
import type { AttemptParts } from '../attempt/attempt-parts.ts';
import type { AttemptLog } from '../attempt/attempt-log.ts';
import type { CallRequest } from '../attempt/attempt-request.ts';
import type { RequestMemory } from './request-memory.ts';

/** What calls work with. */
export interface CallParts {
  readonly attempts: AttemptParts;
  readonly selector: TargetSelector;
  readonly memory: RequestMemory;
  readonly budget: RetryBudget;
  /** For calls that fail as only requests did lately that were to blame themselves. */
  readonly poisonBudget: RetryBudget;
  readonly logger: Logger;
  readonly metrics: HostMetrics | undefined;
  readonly maxRetryAfterWaitMs: number;
}

/** What is asked, and where it may go. */
export interface CallInput {
  readonly request: CallRequest;
  readonly route: Route;
  readonly traits: CallTraits;
  /** Takes every attempt, for whoever writes a line about the call. */
  readonly log: AttemptLog | undefined;
}
