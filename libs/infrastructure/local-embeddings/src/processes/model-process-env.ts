import type { ProcessRole } from './process-protocol.ts';

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;

/**
 * What the C library of a model process is told about memory, in bytes: from which size on an allocation is one of the system's own, given
 * back at once, and how much free memory the end of the heap may hold. A graph asks for the same buffers with every usual batch, and each page
 * that comes anew costs a fault, so that these are in the heap: of a run of 512 tokens the largest has 12 MiB. Those of longer texts are
 * not: each text has other sizes, which fit into no gap that the last one has left, and the heap would grow to several times what one needs.
 * A tokenizer meets texts of megabytes now and then, so it keeps glibc's first values, which would be raised otherwise. Other C libraries
 * ignore this. Figures: docs/performance.md.
 */
const ALLOCATOR: Readonly<Record<ProcessRole, { readonly mmapBytes: number; readonly trimBytes: number }>> = {
  inference: { mmapBytes: 13 * MEGABYTE, trimBytes: 64 * MEGABYTE },
  tokenizer: { mmapBytes: 128 * KILOBYTE, trimBytes: 128 * KILOBYTE },
};

/** By how much their heaps grow at a time: glibc's first value, whatever that of the service is. */
const TOP_PAD_BYTES = 128 * KILOBYTE;

/** The native tokenizer shares the texts of a call among threads, which costs more than it saves with as few as a batch has. */
const TOKENS_IN_ONE_THREAD = { TOKENIZERS_PARALLELISM: 'false' };

/**
 * Where Linux gives pages of 2 MB to those who ask, as Debian and Ubuntu have it, glibc asks: a graph reads all of its weights for every
 * batch, and finding them page by page takes 1 to 3 % of that. What the environment says of it comes behind, and counts.
 */
const HUGE_PAGES = 'glibc.malloc.hugetlb=1';

/** @returns the environment of a model process: that of the service but for the settings of its libraries. */
export function modelProcessEnv(role: ProcessRole): NodeJS.ProcessEnv {
  const { mmapBytes, trimBytes } = ALLOCATOR[role];
  const tunables = [HUGE_PAGES, process.env['GLIBC_TUNABLES']].filter(Boolean).join(':');
  return {
    ...process.env,
    ...(role === 'inference' ? { ...TOKENS_IN_ONE_THREAD, GLIBC_TUNABLES: tunables } : {}),
    MALLOC_MMAP_THRESHOLD_: String(mmapBytes),
    MALLOC_TRIM_THRESHOLD_: String(trimBytes),
    MALLOC_TOP_PAD_: String(TOP_PAD_BYTES),
  };
}
