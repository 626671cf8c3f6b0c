import { MAX_TIMER_MS, setting } from '@morgan/foundation';
import { z } from 'zod';

/** Half of what a timer can wait leaves room for the jitter. */
const LONGEST_WAIT_MS = Math.floor(MAX_TIMER_MS / 2);

const milliseconds = z.int().min(1).max(LONGEST_WAIT_MS);
const times = z.int().min(1).max(1_000);

/** How targets are checked and what it takes to change a mind about them. */
export const healthMonitorConfig = z
  .strictObject({
    checkIntervalMs: setting(milliseconds.default(30_000), {
      doc: 'Time from the end of one check of a target to its next one, in milliseconds, before jitter.',
    }),
    downCheckIntervalMs: setting(milliseconds.optional(), {
      doc: 'The same while a target is down, so that its return is seen sooner. Left out: as `checkIntervalMs`.',
    }),
    jitter: setting(z.number().min(0).max(0.5).default(0.1), {
      doc: 'The share of the interval by which it varies at random, up and down; it keeps replicas apart.',
    }),
    checkTimeoutMs: setting(milliseconds.default(5_000), {
      doc: 'How long a check may take before it is aborted and has failed, in milliseconds.',
    }),
    failureThreshold: setting(times.default(3), {
      doc: 'Failed checks in a row that take a target down.',
    }),
    successThreshold: setting(times.default(2), {
      doc: 'Successes in a row that bring a target up, and fast checks in a row that end `DEGRADED`.',
    }),
    slowResponseMs: setting(milliseconds.default(1_000), {
      doc: 'A check that takes this long is slow, in milliseconds; with `checkTimeoutMs` or more none is.',
    }),
    slowThreshold: setting(times.default(3), {
      doc: 'Checks in a row, slow or failed, that make a target `DEGRADED`.',
    }),
    liveFailureThreshold: setting(times.default(5), {
      doc: 'Live calls in a row that fail within one check interval and so take a target down between checks.',
    }),
    slowStartMs: setting(z.int().min(0).max(LONGEST_WAIT_MS).default(30_000), {
      doc: 'How long a target that came back up is spared, in milliseconds; 0 switches slow start off.',
    }),
  })
  .prefault({});

/** With every default filled in. */
export type HealthMonitorConfig = z.output<typeof healthMonitorConfig>;
