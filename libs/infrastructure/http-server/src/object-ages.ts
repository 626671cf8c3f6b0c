import { setFlagsFromString } from 'node:v8';

/**
 * From now on every object is young at first. V8 would make the objects of a code site old at birth once those of its
 * first requests have survived two collections, and each of them keeps all of its request alive until the next full
 * collection: 10 MB more at every minor one, at twice to three times the cost (docs/performance.md).
 */
export function keepObjectsYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
