import { milliseconds, setting } from '@morgan/foundation';
import { z } from 'zod';

/** How streamed responses are passed on (docs/streaming.md). */
export const streamConfig = z
  .strictObject({
    keepAliveMs: setting(milliseconds.default(15_000), {
      env: 'STREAM_KEEP_ALIVE_MS',
      doc: 'After how much silence a comment is sent to the caller of a stream, in milliseconds.',
    }),
    earlyKeepAliveMs: setting(milliseconds.optional(), {
      env: 'STREAM_EARLY_KEEP_ALIVE_MS',
      doc: 'After how long a stream begins with status 200 and a comment although no host has answered yet, in milliseconds; a failure after that is told in the stream. Left out: never.',
    }),
    onInterrupt: setting(z.enum(['resume', 'error']).default('resume'), {
      env: 'STREAM_ON_INTERRUPT',
      doc: 'What becomes of a stream of plain text that breaks: `resume`, another host finishes it where one can; or `error`. A route may say otherwise.',
    }),
  })
  .prefault({});

export type StreamConfig = z.output<typeof streamConfig>;
