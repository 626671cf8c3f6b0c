import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Drain } from './drain.ts';

const WAIT_MS = 1_000;

/**
 * Gives back what a start leaves behind, in the first second after it in which no call is in flight: V8 lets the space of
 * young objects grow while modules load, and makes it small again only in a collection that is told to free what it can. That
 * stops the process for as long as two or three full collections.
 */
export function releaseStartMemory(drain: Drain): void {
  const timer = setInterval(() => {
    if (drain.inFlight > 0) return;
    clearInterval(timer);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as NodeJS.GCFunction;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }, WAIT_MS).unref();
}
