import type { FaultCategory } from '@morgan/foundation';

/** How one attempt ended. */
export type AttemptOutcome = 'ok' | FaultCategory;

/** Why a failed attempt was the last one. */
export type GiveUpReason =
  /** The fault is one that repeating cannot heal. */
  | 'final'
  /** The call was aborted, or its deadline passed. */
  | 'aborted'
  /** It is not idempotent, and something was sent. */
  | 'unsafe'
  /** `maxRetries` were made. */
  | 'attempts'
  /** The wait would end after the deadline; without a deadline: it is longer than `maxDelayMs`. */
  | 'wait'
  | 'budget';

/** Why an attempt is extra: the first attempt of a call never is. */
export type ExtraAttempt = 'retry' | 'fallback' | 'hedge';

/** How a call with a hedge ended: by the hedge's response, by the first attempt's, or with neither. */
export type HedgeOutcome = 'won' | 'lost' | 'failed';
