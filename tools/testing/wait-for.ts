import { setTimeout as delay } from 'node:timers/promises';

/** Asking again and again costs the time on the processor that the awaited thing may need: the longer it takes, the rarer. */
const FIRST_POLL_MS = 2;
const LONGEST_POLL_MS = 25;
const POLL_GROWTH = 1.25;

/** Of the real clock, also while a test has stopped it. */
const now = performance.now.bind(performance);

/**
 * What to wait for, in words for the error, how long at most (default 20 seconds), and how rarely it is asked for in the end
 * (default 25 ms), where asking is work for whoever is waited for.
 */
interface WaitOptions {
  readonly what: string;
  readonly timeoutMs?: number;
  readonly longestPollMs?: number;
}

/**
 * Polls until `condition` gives something truthy and returns it. A condition that throws counts as not yet met.
 * @throws Error naming what did not happen, with the last failure of the condition as its cause.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 20_000, longestPollMs = LONGEST_POLL_MS }: WaitOptions,
): Promise<NonNullable<T>> {
  const deadline = now() + timeoutMs;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * POLL_GROWTH, longestPollMs)) {
    let cause: unknown;
    try {
      // Raced, because a condition may hang for ever where the thing that it asks is gone.
      const value = await within(deadline - now(), condition);
      if (value) return value;
    } catch (error) {
      cause = error;
    }
    if (now() >= deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause });
    }
    await delay(pollMs);
  }
}

async function within<T>(ms: number, work: () => T | Promise<T>): Promise<T> {
  // Asked first: a condition that counts timers must not meet the one of its own wait.
  const result = work();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the condition did not answer')), Math.max(0, ms));
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}
