/**
 * How one attempt at one target ended: the closed set behind the metric label `outcome` and the rows of the evidence table.
 */
export type Outcome =
  | 'ok'
  | 'malformed_request'
  | 'context_too_long'
  | 'policy_refusal'
  | 'conflict'
  | 'model_not_found'
  | 'path_not_found'
  | 'credentials_rejected'
  | 'quota_exhausted'
  | 'rate_limited'
  | 'overloaded'
  | 'loading'
  | 'server_error'
  | 'error_in_answer'
  | 'redirect'
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

/** What a host that is well says to one call of many. */
export const OF_LOAD: ReadonlySet<Outcome> = new Set(['rate_limited', 'overloaded']);

/** Those who pass by themselves, in seconds: waiting for the first of them helps. */
export const PASSING: ReadonlySet<Outcome> = new Set([...OF_LOAD, 'loading', 'limited']);
