/** How delays grow from one step to the next. */
interface BackoffOptions {
  /** The delay of step 0, in milliseconds. */
  readonly firstMs: number;
  /** No delay is longer, in milliseconds. */
  readonly longestMs: number;
  /** How many times longer each delay is than the one before. Default 2. */
  readonly factor?: number | undefined;
  /** The share of a delay that is random: 0 (default) is none, 1 is "full jitter" (AWS Architecture Blog, 2015). */
  readonly jitter?: number | undefined;
}

/** The exponential delay of a step, in milliseconds; jitter only shortens it. @param random from 0 to below 1. */
export function backoffMs(
  step: number,
  { firstMs, longestMs, factor = 2, jitter = 0 }: BackoffOptions,
  random: () => number = Math.random,
): number {
  const delayMs = Math.min(longestMs, firstMs * factor ** step);
  return jitter === 0 ? delayMs : delayMs * (1 - jitter * random());
}

/** The most that {@link spreadWaitMs} adds, as a share of the wait. */
const SPREAD = 0.25;

/**
 * A wait that somebody named, such as `Retry-After`, and up to a quarter more, so that those who got the same value
 * do not come back at once, and none too early.
 */
export function spreadWaitMs(waitMs: number, random: () => number = Math.random): number {
  return waitMs * (1 + SPREAD * random());
}
