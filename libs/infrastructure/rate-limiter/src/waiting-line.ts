import type { LimitStore, StoreAnswer } from './limit-store.ts';
import { MAX_TIMER_MS } from '@morgan/foundation';
import { Permit } from './permit.ts';
import { type Patience, Waiter } from './waiter.ts';

/** Asks that go to the store together: one script in Redis must not hold up the others for long. */
const BATCH = 32;

/** Told how long each admitted caller waited, or that one gave up by itself. */
export interface LineObserver {
  admitted(waitedMs: number): void;
  refused(): void;
  aborted(): void;
  /** A call cost more or less than it had reserved. */
  readonly settled: (key: string) => void;
  /** Nobody waits any more. */
  emptied(key: string): void;
}

/**
 * Those who wait for one key, in the order in which they came. One timer wakes the line when its head can go; nobody
 * overtakes, so a large cost is not starved by small ones. It exists only while somebody waits.
 */
export class WaitingLine {
  /** Those who were told to wait, and behind them those whom the store has not seen yet. */
  readonly #told = new Set<Waiter>();
  readonly #fresh = new Set<Waiter>();
  readonly #key: string;
  readonly #store: LimitStore;
  readonly #observer: LineObserver;
  #toldCost = 0;
  #headDueAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #wakeAt: number | undefined;
  #asking = false;

  constructor(key: string, store: LimitStore, observer: LineObserver) {
    this.#key = key;
    this.#store = store;
    this.#observer = observer;
  }

  get size(): number {
    return this.#told.size + this.#fresh.size;
  }

  /** Units that those in the line wait for. */
  get cost(): number {
    let cost = this.#toldCost;
    for (const waiter of this.#fresh) cost += waiter.cost;
    return cost;
  }

  /** Joins the end of the line. The promise rejects with the reason of an aborted signal. */
  enter(cost: number, patience: Patience) {
    const waiter = new Waiter(cost, patience, this.#left);
    this.#fresh.add(waiter);
    this.#serve();
    if (!waiter.done) waiter.limitStay();
    return waiter.decision;
  }

  /** Asks again for everybody: something but the passing of time has changed the limit. */
  reconsider(): void {
    this.#headDueAt = 0;
    this.#serve();
  }

  #serve(): void {
    while (!this.#asking) {
      const headIsDue = this.#told.size > 0 && performance.now() >= this.#headDueAt;
      if (!headIsDue && this.#fresh.size === 0) break;
      const batch = this.#batch(headIsDue);
      const ahead = headIsDue ? 0 : this.#toldCost;
      const answer = this.#store.decideNow(this.#key, batch, ahead);
      if (answer) this.#apply(batch, answer);
      else void this.#ask(batch, ahead);
    }
    this.#rest();
  }

  async #ask(batch: readonly Waiter[], ahead: number): Promise<void> {
    this.#asking = true;
    try {
      this.#apply(batch, await this.#store.decide(this.#key, batch, ahead));
    } catch (error) {
      for (const waiter of batch) {
        if (waiter.done) continue;
        this.#remove(waiter);
        this.#observer.refused();
        waiter.fail(error);
      }
    }
    this.#asking = false;
    this.#serve();
  }

  #batch(fromHead: boolean): Waiter[] {
    const batch: Waiter[] = [];
    for (const line of fromHead ? [this.#told, this.#fresh] : [this.#fresh])
      for (const waiter of line) {
        if (batch.length === BATCH) return batch;
        batch.push(waiter);
      }
    return batch;
  }

  #apply(batch: readonly Waiter[], answer: StoreAnswer): void {
    const { at, waits, decidedBy } = answer;
    const now = performance.now();
    for (const [index, waiter] of batch.entries()) {
      const waitMs = waits[index] as number;
      // Gone while the store was asked: nobody will use what it got.
      if (waiter.done && waitMs === 0) decidedBy.correct(this.#key, at, -waiter.cost);
      if (waiter.done) continue;
      if (waitMs === 0) {
        this.#remove(waiter);
        this.#observer.admitted(now - waiter.arrivedAt);
        waiter.finish(new Permit(this.#key, waiter.cost, answer, this.#observer.settled));
      } else if (waitMs > waiter.patienceMs) {
        this.#remove(waiter);
        this.#observer.refused();
        waiter.finish({ admitted: false, retryAfterMs: waitMs });
      } else this.#keep(waiter, now + waitMs);
    }
  }

  #keep(waiter: Waiter, expectedAt: number): void {
    waiter.expectedAt = expectedAt;
    if (this.#fresh.delete(waiter)) {
      this.#told.add(waiter);
      this.#toldCost += waiter.cost;
    }
    if (this.#told.values().next().value === waiter) this.#headDueAt = expectedAt;
  }

  #remove(waiter: Waiter): void {
    this.#fresh.delete(waiter);
    if (!this.#told.delete(waiter)) return;
    this.#toldCost = this.#told.size === 0 ? 0 : this.#toldCost - waiter.cost;
  }

  /** Sleeps until the head is due, or ends the line. */
  #rest(): void {
    const wakeAt = this.#asking || this.#told.size === 0 ? undefined : this.#headDueAt;
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

  readonly #left = (waiter: Waiter, why: 'aborted' | 'refused') => {
    const wasHead = this.#told.values().next().value === waiter;
    this.#remove(waiter);
    this.#observer[why]();
    if (wasHead) this.reconsider();
    else if (this.size === 0) this.#rest();
  };
}

function delayUntil(time: number): number {
  return Math.min(Math.max(1, Math.ceil(time - performance.now())), MAX_TIMER_MS);
}
