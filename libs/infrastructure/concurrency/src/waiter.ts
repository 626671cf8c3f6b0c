import { type CallContext, MAX_TIMER_MS } from '@morgan/foundation';

/** What becomes of a {@link Waiter}. Exactly one of them is called, once. */
export interface WaiterOutcome {
  readonly admitted: () => void;
  readonly refused: (error: Error) => void;
  /** It leaves by itself: its caller went away or its deadline passed. `refused` is for the owner of the line to call. */
  readonly leaves: (waiter: Waiter, why: 'aborted' | 'deadline') => void;
}

/** One call in a {@link WaitingLine}. It watches its own signal and deadline and lets go of both when it is settled. */
export class Waiter {
  /** Its neighbours of the same priority; they belong to the line. */
  previous: Waiter | undefined;
  next: Waiter | undefined;
  readonly since = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onAbort = (): void => this.#outcome.leaves(this, 'aborted');
  readonly #outcome: WaiterOutcome;

  constructor(
    readonly context: CallContext,
    /** Higher goes first. */
    readonly priority: number,
    outcome: WaiterOutcome,
  ) {
    this.#outcome = outcome;
    context.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (!context.deadline) return;
    const delayMs = Math.min(context.deadline.remainingMs(), MAX_TIMER_MS);
    this.#timer = setTimeout(() => outcome.leaves(this, 'deadline'), delayMs).unref();
  }

  admit(): void {
    this.#letGo();
    this.#outcome.admitted();
  }

  refuse(error: Error): void {
    this.#letGo();
    this.#outcome.refused(error);
  }

  #letGo(): void {
    clearTimeout(this.#timer);
    this.context.signal.removeEventListener('abort', this.#onAbort);
  }
}
