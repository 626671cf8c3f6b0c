/** Why a closed breaker opened by itself. */
export type TripReason = 'consecutive_failures' | 'failure_rate' | 'error_trend' | 'latency_trend';

/** What a rule sees of a call: a fault of the host or a slow response is a failure. */
export interface EndedCall {
  readonly failed: boolean;
  readonly tookMs: number;
}

/** Decides when a closed breaker opens. It sees the calls of one stay in CLOSED in the order in which they end. */
export interface TripRule {
  /** @returns the reason to open now, if there is one. */
  judge(call: EndedCall): TripReason | undefined;
}
