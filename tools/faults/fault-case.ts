import type { CaseDescription } from './case-description.ts';
import type { Reply } from './replies.ts';
import type { Stage } from './stage.ts';

/** One thing that happens to hosts, and what is promised for it. */
export interface FaultCase extends CaseDescription {
  /** The hosts, by tiers; the first of the first tier is the primary. */
  readonly tiers: readonly (readonly string[])[];
  /** The host that takes a text that was begun, and goes on with it. */
  readonly continues?: string;
  /** It needs the machine for itself: it runs after the others. */
  readonly isHeavy?: boolean;
  /** How the primary answers `GET /models`. */
  readonly list?: Reply;
  run(stage: Stage): Promise<void>;
}
