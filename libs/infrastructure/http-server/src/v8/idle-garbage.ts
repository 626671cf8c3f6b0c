import { collectGarbage, residentBytes } from '@morgan/foundation';
import type { Drain } from '../drain.ts';

const LOOK_MS = 1_000;
/** Share of the time that an idle event loop is at work at most: health checks and scrapes take less. */
const IDLE_SHARE = 0.05;
/** Seconds in a row without much to do, after which a service counts as idle: what comes more often is not slowed down. */
const IDLE_LOOKS = 20;
/** What is not worth a collection, after which compiled code is compiled again: for two seconds calls take twice as long. */
const TOLERATED_GROWTH_BYTES = 32 * 1024 * 1024;

/**
 * Gives memory back while nobody is answered: what the start has left behind, a sixth of a service at rest, after the first second
 * without much to do; later what a busy time has left, once the service is idle. V8 collects in full only while something is
 * allocated: a service that nobody calls any more would hold the large bodies of its last calls for as long as it rests.
 * @returns the timer, which keeps no process alive
 */
export function collectGarbageWhenIdle(
  drain: Pick<Drain, 'inFlight'>,
  lookMs = LOOK_MS,
  collect = collectGarbage,
): NodeJS.Timeout {
  let looked = performance.eventLoopUtilization();
  let heldBytes: number | undefined;
  let idleLooks = 0;
  return setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, looked);
    looked = now;
    idleLooks = drain.inFlight === 0 && utilization <= IDLE_SHARE ? idleLooks + 1 : 0;
    if (idleLooks < (heldBytes === undefined ? 1 : IDLE_LOOKS)) return;
    const bytes = residentBytes();
    // A later look may know.
    if (bytes === undefined || bytes - (heldBytes ?? -Infinity) <= TOLERATED_GROWTH_BYTES) return;
    collect();
    heldBytes = residentBytes() ?? bytes;
  }, lookMs).unref();
}
