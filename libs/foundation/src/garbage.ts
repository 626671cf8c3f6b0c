import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects in full and gives memory back to the system, which V8 does while something is allocated only: an idle process never
 * would. The event loop stands still meanwhile, for up to a tenth of a second.
 */
export function collectGarbage(): void {
  // Only a context that is made after the flag was set has the function.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'major'; flavor: 'last-resort' }) => void;
  collect({ type: 'major', flavor: 'last-resort' });
}
