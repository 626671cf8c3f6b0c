import { MAX_TIMER_MS } from './timer.ts';

/** Why a {@link Waiter} leaves by itself: its caller cancelled, or the time that it may wait is over. */
export type LeaveReason = 'aborted' | 'timeout';

/**
 * One call that waits for its turn, for whoever keeps the queue. It watches its signal and its time and lets go of both
 * when it is settled; its timer keeps no process alive.
 */
export class Waiter<Turn = void> {
  readonly since = performance.now();
  readonly #turn = Promise.withResolvers<Turn>();
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #onTimeout: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isSettled = false;

  /** @param onLeave takes it out of its queue and calls {@link refuse}, or {@link limit} for more time. */
  constructor(signal: AbortSignal | undefined, onLeave: (waiter: Waiter<Turn>, why: LeaveReason) => void) {
    this.#signal = signal;
    this.#onAbort = () => onLeave(this, 'aborted');
    this.#onTimeout = () => onLeave(this, 'timeout');
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Resolves when it is admitted. */
  get turn(): Promise<Turn> {
    return this.#turn.promise;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** From now on it waits at most so long, in milliseconds. */
  limit(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onTimeout, Math.min(ms, MAX_TIMER_MS)).unref();
  }

  admit(turn: Turn): void {
    this.#settle();
    this.#turn.resolve(turn);
  }

  refuse(error: unknown): void {
    this.#settle();
    this.#turn.reject(error);
  }

  #settle(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}
