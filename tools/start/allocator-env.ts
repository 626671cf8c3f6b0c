/**
 * How a service, the images included, tells glibc to give memory back. 128 kB is its first value; said aloud it stays there, and
 * with it the size from which on an allocation is one of the system's own. By itself glibc raises both to what was freed last, so that bodies of
 * megabytes would leave the heap of a service tens of megabytes larger. Two heaps in place of one for each thread: what each keeps adds up, and
 * hardly two threads allocate at a time. Figures: docs/performance.md.
 */
export const ALLOCATOR_ENV = { MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_ARENA_MAX: '2' };
