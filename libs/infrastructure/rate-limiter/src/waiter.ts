import { type Deadline, MAX_TIMER_MS } from '@morgan/foundation';
import type { Decision } from './decision.ts';
import type { Ask } from './limit-store.ts';
import { storeUnavailable } from './store-unavailable.error.ts';

/** Who is due at the very end of its patience must not be refused because one timer fires before another. */
const SLACK_MS = 5;

/** How long a caller is willing to wait. */
export interface Patience {
  readonly ms: number;
  readonly deadline?: Deadline | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Left = (waiter: Waiter, why: 'aborted' | 'refused') => void;

/** A caller in a waiting line, from its arrival until it is admitted, refused or gone. */
export class Waiter implements Ask {
  readonly arrivedAt = performance.now();
  /** When it could be admitted, as far as is known; undefined until the store has answered once. */
  expectedAt: number | undefined;
  readonly #patience: Patience;
  readonly #settled = Promise.withResolvers<Decision>();
  readonly #left: Left;
  #timer: NodeJS.Timeout | undefined;
  #done = false;

  /** @param left is told once, when the caller gives up by itself. */
  constructor(
    readonly cost: number,
    patience: Patience,
    left: Left,
  ) {
    this.#patience = patience;
    this.#left = left;
    patience.signal?.addEventListener('abort', this.#aborted, { once: true });
  }

  get decision(): Promise<Decision> {
    return this.#settled.promise;
  }

  get patienceMs(): number {
    return this.arrivedAt + this.#patience.ms - performance.now();
  }

  get done(): boolean {
    return this.#done;
  }

  /** Limits the stay; called where the caller has to wait for anything. */
  limitStay(): void {
    if (this.#patience.ms > 0) this.#stay(this.#patience.ms + SLACK_MS);
  }

  finish(decision: Decision): void {
    this.#close();
    this.#settled.resolve(decision);
  }

  fail(error: unknown): void {
    this.#close();
    this.#settled.reject(error);
  }

  readonly #aborted = () => {
    this.fail(this.#patience.signal?.reason);
    this.#left(this, 'aborted');
  };

  readonly #outOfPatience = () => {
    if (this.expectedAt === undefined) {
      // A slow store is no full limit: before its first answer, which is bounded, only the deadline counts.
      const leftMs = this.#patience.deadline?.remainingMs();
      if (leftMs === undefined) return;
      if (leftMs > 0) return this.#stay(leftMs);
      this.fail(storeUnavailable());
    } else this.finish({ admitted: false, retryAfterMs: Math.max(1, this.expectedAt - performance.now()) });
    this.#left(this, 'refused');
  };

  #stay(ms: number): void {
    if (ms <= MAX_TIMER_MS) this.#timer = setTimeout(this.#outOfPatience, ms).unref();
  }

  #close(): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#patience.signal?.removeEventListener('abort', this.#aborted);
  }
}
