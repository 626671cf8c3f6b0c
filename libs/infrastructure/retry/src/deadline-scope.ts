import {
  type CallContext,
  callStopped,
  contextWith,
  Deadline,
  deadlineExceeded,
  MAX_TIMER_MS,
} from '@morgan/foundation';

/** A call to be bounded. Without a signal nothing but the deadline and {@link DeadlineScope.abort} end it. */
type BoundCall<Context extends CallContext = CallContext> =
  Context | (Omit<Context, 'signal'> & { readonly signal?: AbortSignal | undefined });

/**
 * One call with a deadline: `context` has the nearer one of the caller's and the given one, and a signal that aborts
 * when it passes (`deadline_exceeded`) or the caller's signal does. Until it is disposed of it holds a timer and a
 * listener, so dispose of it when the call is over; for a streamed response that is the end of the body.
 */
export class DeadlineScope<Context extends CallContext = CallContext> implements Disposable {
  readonly context: Context;
  readonly #outer: AbortSignal | undefined;
  /** None where the caller's own signal is all that can end the call. */
  readonly #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopRun: ((reason: unknown) => void) | undefined;
  readonly #onAbort = (): void => this.abort(this.#outer?.reason);

  /** @param timeoutMs how long the call may take from now on. None: only the caller's deadline counts, if any. */
  constructor(call: BoundCall<Context>, timeoutMs?: number) {
    this.#outer = call.signal;
    const own = timeoutMs === undefined ? undefined : Deadline.after(timeoutMs);
    const deadline = Deadline.nearest(call.deadline, own);
    this.context = call as Context;
    if (!deadline && this.#outer) return;
    this.#controller = new AbortController();
    this.context = contextWith(this.context, { deadline, signal: this.#controller.signal });
    this.#outer?.addEventListener('abort', this.#onAbort);
    if (this.#outer?.aborted) this.#onAbort();
    else this.#setClock(deadline);
  }

  /**
   * Runs the work and ends no later than the signal does, even when the work does not listen to it.
   * @throws AppError `deadline_exceeded`, or `client_closed_request` or the caller's own reason on its abort.
   */
  run<Result>(work: (context: Context) => Promise<Result>): Promise<Result> {
    const { signal } = this.context;
    if (signal.aborted) return Promise.reject(callStopped(signal));
    // Nobody hears the caller's own signal yet.
    if (!this.#controller) signal.addEventListener('abort', this.#onAbort);
    return new Promise((resolve, reject) => {
      this.#stopRun = reject;
      work(this.context).then(resolve, reject);
    });
  }

  /**
   * From now on only this deadline ends the call, none if it is left out: the beginning of a streamed response was in time,
   * the rest may take longer. The caller's signal counts as before. A call that has been ended has no clock any more.
   */
  restartClock(deadline?: Deadline): void {
    clearTimeout(this.#timer);
    if (!this.context.signal.aborted) this.#setClock(deadline);
  }

  /**
   * Ends a call that has a deadline or no signal of its own; the others are their caller's to end.
   * @param reason what its work meets, and its caller too if it is an AppError.
   */
  abort(reason: unknown): void {
    if (!this.#controller && !this.context.signal.aborted) return;
    this[Symbol.dispose]();
    this.#controller?.abort(reason);
    this.#stopRun?.(callStopped(this.context.signal));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onAbort);
  }

  #setClock(deadline: Deadline | undefined): void {
    if (!deadline) return;
    const leftMs = deadline.remainingMs();
    if (leftMs === 0) this.#expire();
    // It looks again: a deadline may be further away than any timer.
    else this.#timer = setTimeout(() => this.#setClock(deadline), Math.min(Math.ceil(leftMs), MAX_TIMER_MS));
  }

  #expire(): void {
    this.abort(deadlineExceeded());
  }
}
