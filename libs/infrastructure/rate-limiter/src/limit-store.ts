/** Somebody who wants units of a key. */
export interface Ask {
  readonly cost: number;
  /** How long it would wait, in milliseconds. Whoever would have to wait longer is refused and holds nobody up. */
  readonly patienceMs: number;
}

/** What a store decided about a row of asks, in their order. */
export interface StoreDecision {
  /** The moment of the decision, on the clock of whoever decided. */
  readonly at: number;
  /** Per ask: 0 when it was admitted, else the milliseconds until it could be. */
  readonly waits: readonly number[];
  /** Used part of the capacity, after what was admitted; above 1 after a correction upwards. */
  readonly utilisation: number;
  /** Who decided, and so who takes corrections. */
  readonly decidedBy: Corrector;
}

/** What a call turned out to cost. */
export interface Correction {
  /** When its cost was taken, on the clock of whoever decided. */
  readonly takenAt: number;
  /** What it was admitted with. */
  readonly from: number;
  readonly to: number;
}

/** Takes back, or adds, the difference. */
export interface Corrector {
  correct(key: string, correction: Correction): void;
}

/** Where the use of every key is kept: in this process, or in Redis for all replicas. */
export interface LimitStore extends Corrector {
  /**
   * Decides at once where that is possible; undefined where somebody else must be asked.
   * @param ahead units that others, who came first, are charged for: with any ahead nobody is admitted.
   */
  decideNow(key: string, asks: readonly Ask[], ahead: number): StoreDecision | undefined;
  /**
   * Decides as {@link decideNow} does, and asks whoever must be asked, within a bounded time.
   * @throws AppError `rate_limiter_unavailable` when it is set to fail closed.
   */
  decide(key: string, asks: readonly Ask[], ahead: number): Promise<StoreDecision>;
  /** How long a cost would have to wait, in milliseconds, as far as this process knows without asking. Takes nothing. */
  peekWaitMs(key: string, cost: number): number;
  /** Admits nothing for this key for so long. */
  penalize(key: string, ms: number): Promise<void>;
  /** Uses up all that is left of a key. */
  drain(key: string): Promise<void>;
  /** Units in use. */
  used(key: string): Promise<number>;
  /** What a cost takes here: never more than fits at once. */
  chargeOf(cost: number): number;
  getStatus(): StoreStatus;
  /** Leaves no timer. */
  stop(): void;
}

/** Where decisions are made now. */
export interface StoreStatus {
  readonly kind: 'local' | 'redis';
  /** Redis is slow or gone, and the failure behaviour is in force. */
  readonly degraded: boolean;
  /** Asks of Redis that failed, since the start. */
  readonly failures: number;
  /** Keys held in the memory of this process. */
  readonly keys: number;
}
