import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Runs a full garbage collection and returns memory to the system. V8 does that only while something is allocated: an
 * idle process never would. The event loop stands still meanwhile, for up to a tenth of a second.
 */
export function collectGarbage(): void {
  // Only a context that is made after the flag was set has the function.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'major'; flavor: 'last-resort' }) => void;
  collect({ type: 'major', flavor: 'last-resort' });
}
