import { setFlagsFromString } from 'node:v8';

/** Older ones do not know the flag of the memory reducer, and print that. */
const LEAST_V8 = 13;

/**
 * What V8 does with memory that makes a service slower than it need be, switched off; before the first full collection. Figures:
 * docs/performance.md.
 *
 * Pretenuring: V8 would make the objects of a code site old at birth once those of its first requests have survived two
 * collections, and each of them keeps all of its request alive until the next full collection: 10 MB more at every minor one, at
 * twice to three times the cost.
 *
 * The memory reducer: in the first seconds of quiet V8 would throw away what its compiled code relies on, and calls cost twice
 * as much for two seconds afterwards. `collectGarbageWhenIdle` gives memory back instead.
 */
export function setHeapFlags(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
  if (Number.parseInt(process.versions.v8, 10) >= LEAST_V8) setFlagsFromString('--memory-reducer-gc-count=0');
}
