import { type LeaveReason, MAX_TIMER_MS } from '@morgan/foundation';
import type { Decision } from './decision.ts';
import type { LimitStore, StoreDecision } from './limit-store.ts';
import { Permit } from './permit.ts';
import { LimitWaiter, type Patience } from './limit-waiter.ts';
import { storeUnavailable } from './store-unavailable.error.ts';

/** Asks that go to the store together: one script in Redis must not hold up the others for long. */
const BATCH = 32;

/** Told how long each admitted caller waited, or that one gave up by itself. */
export interface QueueObserver {
  admitted(waitedMs: number): void;
  refused(): void;
  aborted(): void;
  /** A call cost more or less than it had reserved. */
  readonly settled: (key: string) => void;
  /** Nobody waits any more. */
  emptied(key: string): void;
}

/**
 * Those who wait for one key, in the order in which they came. One timer wakes the queue when its head can go; nobody
 * overtakes, so a large cost is not starved by small ones. It exists only while somebody waits. Waiting itself is the
 * shared `Waiter`'s; the order is in two sets here, as the store has to be asked about those whom it has not seen without a
 * walk past all those who have their time.
 */
export class LimitQueue {
  /** Waiters for whom the store has named a time; behind them, in `#arrivals`, those of whom it was not asked yet. */
  readonly #scheduled = new Set<LimitWaiter>();
  readonly #arrivals = new Set<LimitWaiter>();
  readonly #key: string;
  readonly #store: LimitStore;
  readonly #observer: QueueObserver;
  #scheduledCharge = 0;
  /** As the store has told it last. */
  #utilisation = 0;
  #headDueAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #wakeAt: number | undefined;
  #asking = false;

  constructor(key: string, store: LimitStore, observer: QueueObserver) {
    this.#key = key;
    this.#store = store;
    this.#observer = observer;
  }

  get size(): number {
    return this.#scheduled.size + this.#arrivals.size;
  }

  /** Units that those in the queue are charged for. */
  get charge(): number {
    let charge = this.#scheduledCharge;
    for (const waiter of this.#arrivals) charge += this.#store.chargeOf(waiter.cost);
    return charge;
  }

  /** Joins the end of the queue. The promise rejects with the reason of an aborted signal. */
  enter(cost: number, patience: Patience): Promise<Decision> {
    const waiter = new LimitWaiter(cost, patience, this.#leave);
    this.#arrivals.add(waiter);
    this.#serve();
    if (!waiter.isSettled) waiter.limitStay();
    return waiter.turn;
  }

  /** Asks again for everybody: something but the passing of time has changed the limit. */
  reconsider(): void {
    this.#headDueAt = 0;
    this.#serve();
  }

  #serve(): void {
    while (!this.#asking) {
      const headIsDue = this.#scheduled.size > 0 && performance.now() >= this.#headDueAt;
      if (!headIsDue && this.#arrivals.size === 0) break;
      const batch = this.#batch(headIsDue);
      const ahead = headIsDue ? 0 : this.#scheduledCharge;
      const decision = this.#store.decideNow(this.#key, batch, ahead);
      if (decision) this.#apply(batch, decision);
      else void this.#ask(batch, ahead);
    }
    this.#rest();
  }

  async #ask(batch: readonly LimitWaiter[], ahead: number): Promise<void> {
    this.#asking = true;
    try {
      this.#apply(batch, await this.#store.decide(this.#key, batch, ahead));
    } catch (error) {
      for (const waiter of batch) {
        if (waiter.isSettled) continue;
        this.#remove(waiter);
        this.#observer.refused();
        waiter.refuse(error);
      }
    }
    this.#asking = false;
    this.#serve();
  }

  #batch(fromHead: boolean): LimitWaiter[] {
    const batch: LimitWaiter[] = [];
    for (const waiters of fromHead ? [this.#scheduled, this.#arrivals] : [this.#arrivals])
      for (const waiter of waiters) {
        if (batch.length === BATCH) return batch;
        batch.push(waiter);
      }
    return batch;
  }

  #apply(batch: readonly LimitWaiter[], decision: StoreDecision): void {
    const { at, waits, decidedBy } = decision;
    this.#utilisation = decision.utilisation;
    const now = performance.now();
    for (const [index, waiter] of batch.entries()) {
      const waitMs = waits[index] as number;
      // Gone while the store was asked: nobody will use what it got.
      if (waiter.isSettled && waitMs === 0)
        decidedBy.correct(this.#key, { takenAt: at, from: waiter.cost, to: 0 });
      if (waiter.isSettled) continue;
      if (waitMs === 0) {
        this.#remove(waiter);
        this.#observer.admitted(now - waiter.since);
        waiter.admit(new Permit(this.#key, waiter.cost, decision, this.#observer.settled));
      } else if (waitMs > waiter.patienceMs) {
        this.#remove(waiter);
        this.#observer.refused();
        waiter.admit({ admitted: false, retryAfterMs: waitMs, utilisation: this.#utilisation });
      } else this.#keep(waiter, now + waitMs);
    }
  }

  #keep(waiter: LimitWaiter, expectedAt: number): void {
    waiter.expectedAt = expectedAt;
    if (this.#arrivals.delete(waiter)) {
      this.#scheduled.add(waiter);
      waiter.charge = this.#store.chargeOf(waiter.cost);
      this.#scheduledCharge += waiter.charge;
    }
    if (this.#scheduled.values().next().value === waiter) this.#headDueAt = expectedAt;
  }

  #remove(waiter: LimitWaiter): void {
    this.#arrivals.delete(waiter);
    if (!this.#scheduled.delete(waiter)) return;
    this.#scheduledCharge = this.#scheduled.size === 0 ? 0 : this.#scheduledCharge - waiter.charge;
  }

  /** Sleeps until the head is due, or ends the queue. */
  #rest(): void {
    const wakeAt = this.#asking || this.#scheduled.size === 0 ? undefined : this.#headDueAt;
    if (wakeAt !== this.#wakeAt) {
      clearTimeout(this.#timer);
      this.#wakeAt = wakeAt;
      if (wakeAt !== undefined) this.#timer = setTimeout(this.#wake, delayUntil(wakeAt));
    }
    if (this.size === 0 && !this.#asking) this.#observer.emptied(this.#key);
  }

  readonly #wake = () => {
    this.#wakeAt = undefined;
    this.#serve();
  };

  readonly #leave = (waiter: LimitWaiter, why: LeaveReason): void => {
    if (why === 'aborted') waiter.refuse(waiter.patience.signal?.reason);
    else if (waiter.expectedAt !== undefined) {
      const retryAfterMs = Math.max(1, waiter.expectedAt - performance.now());
      waiter.admit({ admitted: false, retryAfterMs, utilisation: this.#utilisation });
    } else {
      // A slow store is no full limit: before its first response, which is bounded, only the deadline counts.
      const leftMs = waiter.patience.deadline?.remainingMs();
      if (leftMs === undefined) return;
      if (leftMs > 0) return waiter.limit(leftMs);
      waiter.refuse(storeUnavailable());
    }
    const wasHead = this.#scheduled.values().next().value === waiter;
    this.#remove(waiter);
    this.#observer[why === 'aborted' ? 'aborted' : 'refused']();
    if (wasHead) this.reconsider();
    else if (this.size === 0) this.#rest();
  };
}

function delayUntil(time: number): number {
  return Math.min(Math.max(1, Math.ceil(time - performance.now())), MAX_TIMER_MS);
}
