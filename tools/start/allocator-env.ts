/**
 * How a service, the images included, tells glibc to give memory back. 128 kB of free memory at the end of the heap is its first value; said
 * aloud it stays there. By itself glibc raises it to what was freed last, so that bodies of megabytes would leave the heap of a service tens
 * of megabytes larger. The pieces in which a body comes have 64 kB, and hundreds of them wait for a collection. Between what stays they would
 * leave gaps, which no heap gives back: from that size on an allocation is one of the system's own, and the heap grows by less than a piece,
 * as one that fits into what is left there is put there all the same. Two heaps in place of one for each thread: what each keeps adds up,
 * and hardly two threads allocate at a time. Figures: docs/performance.md.
 */
export const ALLOCATOR_ENV = {
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '32768',
  MALLOC_ARENA_MAX: '2',
};
