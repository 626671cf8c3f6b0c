import { MAX_TIMER_MS, setting } from '@morgan/foundation';
import { z } from 'zod';

const milliseconds = (least: number, fallback: number) =>
  z.int().min(least).max(MAX_TIMER_MS).default(fallback);

/** The `bodies` part of a service's `http` section: what the bodies of requests and responses may cost. */
export function bodyConfig(defaults: { maxBytes: number }) {
  return z
    .strictObject({
      maxCalls: setting(z.int().min(1).default(2_048), {
        env: 'MAX_CALLS',
        doc: 'Most requests with a body at a time, those that wait for room included; further ones get 503 with `retry-after`. Where there are several API keys, calls of one have three quarters at most of what those of others leave, and get 429 above that.',
      }),
      maxBytes: setting(z.int().min(65_536).default(defaults.maxBytes), {
        env: 'MAX_BODY_BYTES',
        doc: 'Most bytes of request bodies, and of the vectors of their answers, that are held at a time. A body counts with its `content-length` as soon as it is let in, one without with what has come, until its answer is over. Part of the memory limit: leave room for the rest of the process.',
      }),
      smallBytes: setting(z.int().min(0).default(65_536), {
        doc: 'Bodies of at most so many bytes count as small.',
      }),
      smallShare: setting(z.number().min(0).max(0.9).default(0.125), {
        doc: 'The share of `maxCalls` and `maxBytes` that is kept for calls with small bodies.',
      }),
      queueTimeoutMs: setting(milliseconds(0, 1_000), {
        env: 'BODY_QUEUE_TIMEOUT_MS',
        doc: 'How long a request waits for room before its body is read, in milliseconds; then it gets 503 with `retry-after`.',
      }),
      minBytesPerSecond: setting(z.int().min(0).default(4_096), {
        env: 'MIN_UPLOAD_BYTES_PER_SECOND',
        doc: 'The slowest upload that is accepted, in bytes per second over `rateWindowMs`; a slower one gets 408. 0: any.',
      }),
      rateWindowMs: setting(milliseconds(1, 10_000), {
        doc: 'The time over which the speed of an upload is measured, again and again, in milliseconds; an upload that takes less time may have any speed.',
      }),
      readStallTimeoutMs: setting(milliseconds(1, 60_000), {
        env: 'READ_STALL_TIMEOUT_MS',
        doc: 'How long a client may take nothing of its answer while there is something to take, in milliseconds; then the answer is broken off. Coarse: systems buffer megabytes, and a slow client shows no progress while its own are full.',
      }),
      maxDepth: setting(z.int().min(1).max(10_000).default(128), {
        doc: 'Most lists and objects around a value of a JSON body.',
      }),
      maxValues: setting(z.int().min(1).default(1_000_000), {
        doc: 'Most values in a JSON body: texts, numbers, lists, objects and so on, at any depth.',
      }),
    })
    .prefault({});
}

export type BodyConfig = z.output<ReturnType<typeof bodyConfig>>;
