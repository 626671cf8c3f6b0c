import type { RequestSender } from '@morgan/http-transport';
import type { RetryBudget } from '@morgan/retry';
import type { Outcome } from '../evidence/outcome.ts';
import type { HostMetrics } from '../hosts/host-metrics.ts';
import type { Panic } from '../routing/panic.ts';
import type { Target } from '../routing/target.ts';
import type { UsualSilence } from '../routing/usual-silence.ts';

/** What a host refuses to all callers: a key that it does not take, a quota that is used up. */
interface Lockout {
  readonly target: Target;
  readonly outcome: Outcome;
  /** The model or the path, by the key of its rest. */
  readonly of: string;
  readonly requestId: string;
}

/** What attempts work with. */
export interface AttemptParts {
  readonly transportOf: (target: Target) => RequestSender;
  readonly budget: RetryBudget;
  readonly panic: Panic;
  readonly metrics: HostMetrics | undefined;
  /** An attempt that takes longer to its first content is a fault, in milliseconds. */
  readonly slowCallMs: number;
  /** The longest silence that is not remarkable at a target, in milliseconds. */
  readonly usualSilenceMs: UsualSilence;
  /** A host refuses the key or has no quota: it is said once of each model or path, not with each call. */
  readonly onLockout: (lockout: Lockout) => void;
}

/** How an attempt is made. */
export interface AttemptMode {
  readonly signal: AbortSignal;
  /** The breaker is not asked: there is no better target. */
  readonly isPanic: boolean;
  /** Whether another attempt may win and this one be cancelled. */
  readonly mayLose: boolean;
  /** How long it may wait for a limit of ours, in milliseconds; 0: not at all; none: as long as the limit says. */
  readonly maxQueueMs: number | undefined;
  /** Whether a request that was lost on a kept connection, as the host had closed it, is sent again on a new one. */
  readonly mayResend: boolean;
}
