import { MAX_TIMER_MS } from '@morgan/foundation';
import { z } from 'zod';

/** The health monitor takes no more than this, as its interval varies. */
export const LONGEST_PROBE_MS = Math.floor(MAX_TIMER_MS / 2);

const milliseconds = z.int().min(1).max(LONGEST_PROBE_MS);
const times = z.int().min(1).max(1_000);

/** How one host is probed; `false`: not at all. What is left out is as for all hosts. */
export const hostProbe = z.union([
  z.literal(false),
  z.strictObject({
    /** Below the base URL; or the whole path, where it begins with two slashes: `//health`. */
    path: z.string().startsWith('/').optional(),
    method: z.enum(['GET', 'HEAD', 'POST', 'OPTIONS']).optional(),
    /** Any other status fails. Left out: with a `path` of its own those from 400 on; else none, as a server that answers is there. */
    expectedStatus: z.array(z.int().min(100).max(599)).min(1).optional(),
    intervalMs: milliseconds.optional(),
    timeoutMs: milliseconds.optional(),
    failureThreshold: times.optional(),
    successThreshold: times.optional(),
  }),
]);
