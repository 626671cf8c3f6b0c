import type { Metrics } from '@morgan/telemetry';
import { tokenLimiterOf } from './attempt-limits.ts';

/** Labels that have the name of a target as their value, in the metrics of its policies, its checks and its connections. */
const LABELS = ['breaker', 'limiter', 'bulkhead', 'timeout', 'target', 'pool'];

/**
 * Removes the series of a target that is gone for good from the metrics.
 * @param label the one that its owner's own metrics have.
 */
export function forgetTarget(metrics: Metrics, label: 'client' | 'host', name: string): void {
  metrics.forget([label, ...LABELS], name);
  metrics.forget(['limiter'], tokenLimiterOf(name));
}
