import type { RetryBudgetStatus } from '@morgan/retry';
import type { HostStatus } from '../hosts/host.ts';

/** What can be said about a client right now. */
export interface DistributedLlmStatus {
  readonly hosts: readonly HostStatus[];
  /** What is left for further attempts, at other hosts or over new connections. */
  readonly budget: RetryBudgetStatus;
  /** Requests that failed alike at several hosts and are remembered. */
  readonly poisonousRequests: number;
}
