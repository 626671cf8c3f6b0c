/**
 * Under which settings a case runs: `short` and `streams` have shorter time-outs, many cases share one gateway; `scaled`
 * has those of the breaker, too, at a tenth; `default` has a gateway of its own with nothing but `LLM_HOSTS`.
 */
export type Group = 'short' | 'streams' | 'scaled' | 'default';

/** What a case says of itself. */
export interface CaseDescription {
  readonly name: string;
  readonly group: Group;
  /** What is done to the hosts, in short. */
  readonly trouble: string;
  /** What is promised, in short. */
  readonly bound: string;
}
