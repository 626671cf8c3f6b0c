import { AppError, type CallContext, Deadline } from '@morgan/foundation';
import { callStopped } from './call-stopped.ts';

/**
 * One call with a deadline: `context` has the nearer one of the caller's and the given one, and a signal that aborts
 * when it passes (`deadline_exceeded`) or the caller's signal does. Until it is disposed of it holds a timer and a
 * listener, so dispose of it when the call is over; for a streamed answer that is the end of the body.
 */
export class DeadlineScope<Context extends CallContext = CallContext> implements Disposable {
  readonly context: Context;
  readonly #outer: AbortSignal;
  readonly #controller: AbortController | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onAbort = (): void => this.#stop(this.#outer.reason);

  /** @param timeoutMs how long the call may take from now on. None: only the caller's deadline counts, if any. */
  constructor(context: Context, timeoutMs?: number) {
    this.#outer = context.signal;
    const own = timeoutMs === undefined ? undefined : Deadline.after(timeoutMs);
    const deadline = Deadline.nearest(context.deadline, own);
    this.context = context;
    if (!deadline) return;
    this.#controller = new AbortController();
    this.context = { ...context, deadline, signal: this.#controller.signal };
    if (this.#outer.aborted) this.#onAbort();
    else if (deadline.passed) this.#expire();
    else {
      this.#timer = setTimeout(() => this.#expire(), Math.min(deadline.remainingMs(), Deadline.MAX_MS));
      this.#outer.addEventListener('abort', this.#onAbort);
    }
  }

  /**
   * Runs the work and ends no later than the signal does, even when the work does not listen to it.
   * @throws AppError `deadline_exceeded`, or `client_closed_request` or the caller's own reason on its abort.
   */
  run<Result>(work: (context: Context) => Promise<Result>): Promise<Result> {
    const { signal } = this.context;
    if (signal.aborted) return Promise.reject(callStopped(signal));
    if (!this.#controller) return work(this.context);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(callStopped(signal)), { once: true });
      work(this.context).then(resolve, reject);
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#onAbort);
  }

  #expire(): void {
    this.#stop(new AppError('deadline_exceeded', 'The call was not over by its deadline.'));
  }

  #stop(reason: unknown): void {
    this[Symbol.dispose]();
    this.#controller?.abort(reason);
  }
}
