import { setting } from '@morgan/foundation';
import { z } from 'zod';

const count = (fallback: number) => z.int().min(1).default(fallback);
const milliseconds = (fallback: number) => z.int().min(1).default(fallback);

const failureRateConfig = z
  .strictObject({
    threshold: setting(z.number().gt(0).max(1).default(0.5), {
      doc: 'Opens when this share of the calls in the window, or more, failed.',
    }),
    window: setting(z.enum(['count', 'time']).default('time'), {
      doc: 'What the share is taken of: the last `windowCalls` calls, or those of the last `windowMs`.',
    }),
    windowCalls: setting(z.int().min(1).max(100_000).default(100), {
      doc: 'Length of the count window, in calls, 100,000 at most: each takes a byte in every breaker.',
    }),
    minimumCalls: setting(count(20), { doc: 'Fewer calls than this in the window never open.' }),
  })
  .refine(({ window, windowCalls, minimumCalls }) => window === 'time' || minimumCalls <= windowCalls, {
    path: ['minimumCalls'],
    message: 'is more than windowCalls, so that it would never open',
  });

const predictiveConfig = z.strictObject({
  errorRate: setting(z.number().gt(0).lt(1).default(0.25), {
    doc: 'The share of failures that a host in trouble is expected to reach; the nearer it is to the usual share, the sooner it opens.',
  }),
  latencyFactor: setting(z.number().gt(1).default(4), {
    doc: 'By how much a host in trouble is expected to be slower than it used to be.',
  }),
  callsPerFalseTrip: setting(z.int().min(100).default(100_000), {
    doc: 'How many calls of a host in its usual state may pass, on average and at least, between two false trips of one detector.',
  }),
  baselineCalls: setting(z.int().min(20).default(200), {
    doc: 'Calls over which the usual state is learned; nothing is predicted before so many have ended.',
  }),
});

/** For `refine`: a longest wait below the first one would cut that in silence. */
export const RESETS_IN_ORDER = [
  ({ resetTimeoutMs, maxResetTimeoutMs }: { resetTimeoutMs: number; maxResetTimeoutMs: number }) =>
    resetTimeoutMs <= maxResetTimeoutMs,
  {
    path: ['maxResetTimeoutMs'] as PropertyKey[],
    message: 'is less than resetTimeoutMs, which would be cut to it',
  },
] as const;

/** The configuration of one breaker. */
export const circuitBreakerConfig = z
  .strictObject({
    failureThreshold: setting(count(5), {
      doc: 'Opens after so many failures in a row. Not used where `failureRate` is given.',
    }),
    failureRate: failureRateConfig.optional(),
    windowMs: setting(milliseconds(10_000), {
      doc: 'Length of the rolling time window behind the reported counts and `failureRate`, in milliseconds; it moves in steps of a tenth.',
    }),
    slowCallMs: setting(z.int().min(1).optional(), {
      doc: 'A call that took this long, in milliseconds, is a failure even when it succeeded. None: time does not matter.',
    }),
    successThreshold: setting(count(2), {
      doc: 'Trial calls that succeeded in HALF_OPEN that close it again.',
    }),
    halfOpenTrials: setting(count(1), {
      doc: 'Trial calls that may run at once in HALF_OPEN; the rest fail fast.',
    }),
    trialTimeoutMs: setting(milliseconds(60_000), {
      doc: 'A trial call without deadline that has not ended after this time, in milliseconds, counts as failed. Longer than the slowest good response.',
    }),
    trialSlotMs: setting(z.int().min(1).optional(), {
      doc: 'How long an undecided trial call keeps the next one out, in milliseconds; twice as long with each one more that is undecided. None: as long as it runs.',
    }),
    resetTimeoutMs: setting(milliseconds(60_000), {
      doc: 'How long it stays OPEN before the first trial call, in milliseconds. Doubles with each trip that comes sooner after closing than the wait before was long.',
    }),
    maxResetTimeoutMs: setting(milliseconds(600_000), {
      doc: 'The most that `resetTimeoutMs` grows to, in milliseconds.',
    }),
    resetJitter: setting(z.number().min(0).lt(1).default(0.1), {
      doc: 'The part of each wait that is random, so that replicas do not try in step; it only shortens the wait.',
    }),
    predictive: predictiveConfig.optional(),
  })
  .refine(...RESETS_IN_ORDER)
  .prefault({});

/** With every default filled in. */
export type CircuitBreakerConfig = z.output<typeof circuitBreakerConfig>;

/** As it is written: every key may be left out. */
export type CircuitBreakerSettings = NonNullable<z.input<typeof circuitBreakerConfig>>;
