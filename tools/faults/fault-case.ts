import type { Reply } from './replies.ts';
import type { Stage } from './stage.ts';

/**
 * Under which settings a case runs: `short` and `streams` have shorter time-outs, many cases share one gateway; `scaled`
 * has those of the breaker, too, at a tenth; `default` has a gateway of its own with nothing but `LLM_HOSTS`.
 */
export type Group = 'short' | 'streams' | 'scaled' | 'default';

/** One thing that happens to hosts, and what is promised for it. */
export interface FaultCase {
  readonly name: string;
  readonly group: Group;
  /** The hosts, by tiers; the first of the first tier is the primary. */
  readonly tiers: readonly (readonly string[])[];
  /** The host that takes a text that was begun, and goes on with it. */
  readonly continues?: string;
  /** It needs the machine for itself: it runs after the others. */
  readonly isHeavy?: boolean;
  /** How the primary answers `GET /models`. */
  readonly list?: Reply;
  /** What is done to the hosts, in short. */
  readonly trouble: string;
  /** What is promised, in short. */
  readonly bound: string;
  run(stage: Stage): Promise<void>;
}
