import { collectGarbage } from './garbage.ts';

/** Share of the time that an idle event loop is at work at most: health checks and scrapes take less. */
const IDLE_SHARE = 0.05;
/** What is not worth a stop of the event loop: a service with little to do grows by half of it as a matter of course. */
const TOLERATED_GROWTH_BYTES = 64 * 1024 * 1024;

/**
 * Gives back what a busy time has left behind, once a service is idle. V8 collects in full only while something is allocated: a
 * service that nobody calls any more would hold the large bodies of its last calls for as long as it rests.
 * @param lookMs how long it has to be idle
 * @returns the timer, which keeps no process alive
 */
export function collectGarbageWhenIdle(lookMs = 10_000): NodeJS.Timeout {
  let looked = performance.eventLoopUtilization();
  let heldBytes = process.memoryUsage.rss();
  return setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, looked);
    looked = now;
    const growth = process.memoryUsage.rss() - heldBytes;
    if (utilization > IDLE_SHARE || growth < TOLERATED_GROWTH_BYTES) return;
    collectGarbage();
    heldBytes = process.memoryUsage.rss();
  }, lookMs).unref();
}
