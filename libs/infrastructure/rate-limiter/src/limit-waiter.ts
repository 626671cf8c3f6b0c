import { type Deadline, type LeaveReason, Waiter } from '@morgan/foundation';
import type { Decision } from './decision.ts';
import type { Ask } from './limit-store.ts';

/** Who is due at the very end of its patience must not be refused because one timer fires before another. */
const SLACK_MS = 5;

/** How long a caller is willing to wait. */
export interface Patience {
  readonly ms: number;
  readonly deadline?: Deadline | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A caller in a {@link LimitQueue}, with what it asks for. */
export class LimitWaiter extends Waiter<Decision> implements Ask {
  /** When it could be admitted, as far as is known; undefined until the store has answered once. */
  expectedAt: number | undefined;
  /** What its cost is counted as while others wait behind it. */
  charge = 0;

  constructor(
    readonly cost: number,
    readonly patience: Patience,
    onLeave: (waiter: LimitWaiter, why: LeaveReason) => void,
  ) {
    super(patience.signal, (waiter, why) => onLeave(waiter as LimitWaiter, why));
  }

  get patienceMs(): number {
    return this.since + this.patience.ms - performance.now();
  }

  /** Limits the stay; called where the caller has to wait for anything. */
  limitStay(): void {
    if (this.patience.ms > 0) this.limit(this.patience.ms + SLACK_MS);
  }
}
