import { MAX_TIMER_MS, setting } from '@morgan/foundation';
import { z } from 'zod';

/** The health monitor takes no more than this, as its interval varies. */
export const LONGEST_PROBE_MS = Math.floor(MAX_TIMER_MS / 2);

const milliseconds = z.int().min(1).max(LONGEST_PROBE_MS);
const times = z.int().min(1).max(1_000);

const probePath = z
  .string()
  .startsWith('/')
  .refine((path) => !path.startsWith('//'), 'must begin with one slash: `/../health` is beside `/v1`');

/** How one host is probed; `false`: not at all. What is left out is as for all hosts. */
export const hostProbe = z.union([
  z.literal(false),
  z.strictObject({
    path: setting(probePath.optional(), {
      doc: 'Where the probe goes, below the base URL; `/../health` is beside its `/v1`. Left out: `/models`. `probe: false` is no probe at all.',
    }),
    method: setting(z.enum(['GET', 'HEAD', 'POST', 'OPTIONS']).optional(), {
      doc: '`GET`, `HEAD`, `POST` or `OPTIONS`. Left out: `GET`.',
    }),
    expectedStatus: setting(z.array(z.int().min(100).max(599)).min(1).optional(), {
      doc: 'A list of statuses: any other one fails. Left out: with a `path` of its own those from 400 on fail, else none, as a server that answers is there.',
    }),
    intervalMs: setting(milliseconds.optional(), {
      doc: 'Time between two probes, in milliseconds. Left out: `probeIntervalMs`.',
    }),
    timeoutMs: setting(milliseconds.optional(), {
      doc: 'How long a probe may take, in milliseconds. Left out: `probeTimeoutMs`.',
    }),
    failureThreshold: setting(times.optional(), {
      doc: 'Probes that fail in a row until the host is down. Left out: 2.',
    }),
    successThreshold: setting(times.optional(), {
      doc: 'Probes that succeed in a row until it is up again. Left out: 1.',
    }),
  }),
]);
