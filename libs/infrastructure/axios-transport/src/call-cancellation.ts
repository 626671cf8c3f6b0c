import type { InternalAxiosRequestConfig } from 'axios';

/** The ways in which a caller cancels a call, as one signal: its own signal, its cancel token, axios' `timeout`. */
export class CallCancellation {
  readonly #aborter = new AbortController();
  readonly #config: InternalAxiosRequestConfig;
  readonly #onAbort = (): void => this.#aborter.abort();
  #timer: NodeJS.Timeout | undefined;
  #timedOut = false;

  constructor(config: InternalAxiosRequestConfig) {
    this.#config = config;
    const { timeout, signal, cancelToken } = config;
    if (timeout) this.#timer = setTimeout(() => this.#expire(), timeout);
    if (signal?.aborted) this.#onAbort();
    signal?.addEventListener?.('abort', this.#onAbort);
    cancelToken?.subscribe(this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /** Whether it was the timeout. */
  get timedOut(): boolean {
    return this.#timedOut;
  }

  /** The time that the call may take is over or does not count any more. */
  stopClock(): void {
    clearTimeout(this.#timer);
  }

  /** Leaves no timer and no listener. */
  release(): void {
    this.stopClock();
    this.#config.signal?.removeEventListener?.('abort', this.#onAbort);
    this.#config.cancelToken?.unsubscribe(this.#onAbort);
  }

  #expire(): void {
    this.#timedOut = true;
    this.#aborter.abort();
  }
}
