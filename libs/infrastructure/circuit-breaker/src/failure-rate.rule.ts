import type { EndedCall, TripReason, TripRule } from './trip-rule.ts';

/** Calls that are recent enough to count, by number or by age. */
export interface OutcomeWindow {
  /** Adds a call and says how many are in the window now. */
  add(failed: boolean): { readonly calls: number; readonly failures: number };
}

/** Opens when the share of failures in a window reaches the threshold. */
export class FailureRateRule implements TripRule {
  constructor(
    private readonly window: OutcomeWindow,
    private readonly limits: { readonly threshold: number; readonly minimumCalls: number },
  ) {}

  judge({ failed }: EndedCall): TripReason | undefined {
    const { calls, failures } = this.window.add(failed);
    if (calls < this.limits.minimumCalls) return undefined;
    return failures >= this.limits.threshold * calls ? 'failure_rate' : undefined;
  }
}
