import type { CheckOutcome } from './health-state.ts';

/**
 * Asks a target how it is, at the least cost that tells: no model call. It should stop when the signal aborts.
 * Resolving means well, rejecting means failed. The signal's reason is a `TimeoutError` when the check took too long, an
 * `AbortError` when the monitor was stopped.
 */
export type HealthCheck = (signal: AbortSignal) => Promise<CheckOutcome | void>;

const TIMED_OUT: CheckOutcome = { verdict: 'failed', reason: 'timeout' };
const STUCK: CheckOutcome = { verdict: 'failed', reason: 'stuck' };

/**
 * Runs a check function within a time limit and never twice at a time. One that ignores its signal is left behind when
 * its time is over; until it has settled it is not called again, and every check meanwhile fails as `stuck`.
 */
export class CheckRun {
  /** The check function is at work; resolves when it has settled. */
  #pending: Promise<CheckOutcome> | undefined;
  /** It was told to stop, and should settle at once. */
  #isStopped = false;

  constructor(
    private readonly check: HealthCheck,
    private readonly timeoutMs: number,
  ) {}

  /** Never rejects. @returns nothing when `stop` aborted it: then there is nothing to learn. */
  async once(stop: AbortSignal): Promise<CheckOutcome | undefined> {
    if (this.#pending && !(this.#isStopped && (await this.#settles(this.#pending)))) return STUCK;
    if (stop.aborted) return undefined;
    const aborter = new AbortController();
    const { promise: ended, resolve: end } = Promise.withResolvers<CheckOutcome | undefined>();
    const expire = () => {
      end(TIMED_OUT);
      aborter.abort(new DOMException('The check took too long.', 'TimeoutError'));
    };
    const halt = () => {
      this.#isStopped = true;
      end(undefined);
      aborter.abort();
    };
    const timer = setTimeout(expire, this.timeoutMs).unref();
    stop.addEventListener('abort', halt, { once: true });
    this.#isStopped = false;
    this.#pending = this.#ask(aborter.signal).finally(() => (this.#pending = undefined));
    void this.#pending.then(end);
    try {
      return await ended;
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', halt);
    }
  }

  /** Whether it settles within the time limit. */
  async #settles(pending: Promise<CheckOutcome>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), this.timeoutMs).unref();
    });
    const settled = await Promise.race([pending.then(() => true), late]);
    clearTimeout(timer);
    return settled;
  }

  async #ask(signal: AbortSignal): Promise<CheckOutcome> {
    try {
      return (await this.check(signal)) ?? { verdict: 'ok' };
    } catch (error) {
      return { verdict: 'failed', reason: codeOf(error) };
    }
  }
}

/** Causes further down than this are not looked at; it also ends a chain that is a ring. */
const DEEPEST_CAUSE = 5;

/**
 * The code nearest to the surface: `fetch failed` says nothing, its cause says ECONNREFUSED. Never a message, which may
 * hold a secret. Goes by shape, as errors of another realm are no instances of this one's `Error`.
 */
function codeOf(error: unknown): string {
  const { name } = shapeOf(error);
  let fault = shapeOf(error);
  for (let depth = 0; depth < DEEPEST_CAUSE; depth++) {
    if (typeof fault.code === 'string') return fault.code;
    fault = shapeOf(fault.cause);
  }
  return typeof name === 'string' ? name : 'error';
}

function shapeOf(error: unknown): { name?: unknown; code?: unknown; cause?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}
