import type { RefusalOutcome } from '@morgan/host-errors';

/**
 * How one attempt at one target ended: the closed set behind the metric label `outcome` and the rows of the evidence table.
 */
export type Outcome =
  | 'ok'
  | RefusalOutcome
  | 'error_in_answer'
  | 'html'
  | 'empty'
  | 'wrong_type'
  | 'bad_response'
  | 'connect_error'
  | 'reset'
  | 'timeout'
  | 'stalled'
  | 'cut'
  | 'outrun'
  | 'cancelled'
  | 'interrupted'
  | 'answer_timeout'
  | 'saturated'
  | 'limited'
  | 'unsendable'
  | 'stopping'
  | 'expired'
  | 'aborted'
  | 'impatient';

/** Refusals because of load: a healthy host gives them to some of many calls. */
export const OF_LOAD: ReadonlySet<Outcome> = new Set(['rate_limited', 'overloaded']);

/** Outcomes that pass by themselves within seconds, so that a call may wait. */
export const PASSING: ReadonlySet<Outcome> = new Set([...OF_LOAD, 'loading', 'limited']);
