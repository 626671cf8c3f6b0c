import { setFlagsFromString } from 'node:v8';

/** Older ones do not know the flag of the memory reducer, and print that. */
const LEAST_V8 = 13;
const GROWTH_PERCENT = 200;

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
 *
 * The growth of what is old: behind the collection of an idle service V8 collects everything again after every eight megabytes, once a
 * second under load and for as long as that lasts. It may treble before, which is within what V8 takes by itself where much is made.
 */
export function setHeapFlags(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  if (Number.parseInt(process.versions.v8, 10) >= LEAST_V8) setFlagsFromString('--memory-reducer-gc-count=0');
}
