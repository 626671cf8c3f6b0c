import type { CheckVerdict, ProbeOutcome } from './health-state.ts';

/**
 * Asks a target how it is, at the least cost that tells: no model call. It should stop when the signal aborts.
 * Resolving means well, rejecting means failed. The signal's reason is a `TimeoutError` when the check took too long, an
 * `AbortError` when the monitor was stopped.
 */
export type ProbeFunction = (signal: AbortSignal) => Promise<ProbeOutcome | void>;

/** How a check ended. */
export interface CheckResult {
  readonly verdict: CheckVerdict;
  readonly reason?: string;
}

const TIMED_OUT: CheckResult = { verdict: 'failed', reason: 'timeout' };
const STUCK: CheckResult = { verdict: 'failed', reason: 'stuck' };

/**
 * Runs a probe function within a time limit and never twice at a time. One that ignores its signal is left behind when
 * its time is over; until it has settled it is not called again, and every check meanwhile fails as `stuck`.
 */
export class ProbeRun {
  #isPending = false;

  constructor(
    private readonly probe: ProbeFunction,
    private readonly timeoutMs: number,
  ) {}

  /** Never rejects. @returns nothing when `stop` aborted it: then there is nothing to learn. */
  async once(stop: AbortSignal): Promise<CheckResult | undefined> {
    if (this.#isPending) return STUCK;
    const aborter = new AbortController();
    const { promise: ended, resolve: end } = Promise.withResolvers<CheckResult | undefined>();
    const expire = () => {
      end(TIMED_OUT);
      aborter.abort(new DOMException('The check took too long.', 'TimeoutError'));
    };
    const halt = () => {
      end(undefined);
      aborter.abort();
    };
    const timer = setTimeout(expire, this.timeoutMs).unref();
    stop.addEventListener('abort', halt, { once: true });
    void this.#ask(aborter.signal).then(end);
    try {
      return await ended;
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', halt);
    }
  }

  async #ask(signal: AbortSignal): Promise<CheckResult> {
    this.#isPending = true;
    try {
      return (await this.probe(signal)) ?? { verdict: 'ok' };
    } catch (error) {
      return { verdict: 'failed', reason: codeOf(error) };
    } finally {
      this.#isPending = false;
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
