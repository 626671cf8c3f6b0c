import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 50;
const REMIND_AFTER_MS = 10_000;

/**
 * Resolves when the URL answers with less than 500. Says every ten seconds that it still waits, and for which probe.
 * @throws the signal's reason, when that is aborted first.
 */
export async function untilReady(name: string, url: string, signal: AbortSignal): Promise<void> {
  let remindAt = performance.now() + REMIND_AFTER_MS;
  for (;;) {
    const response = await ask(url);
    signal.throwIfAborted();
    if (response.isReady) return;
    if (performance.now() >= remindAt) {
      console.log(`Still waiting for ${name}${response.reason}`);
      remindAt += REMIND_AFTER_MS;
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function ask(url: string): Promise<{ isReady: boolean; reason: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    if (response.status < 500) return { isReady: true, reason: '' };
    const { error } = (await response.json()) as { error?: object };
    return { isReady: false, reason: error ? `: ${JSON.stringify(error)}` : '' };
  } catch {
    return { isReady: false, reason: '' };
  }
}
