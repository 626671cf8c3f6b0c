import { MAX_TIMER_MS, setting } from '@morgan/foundation';
import { z } from 'zod';
import { bodyConfig } from './body/body.config.ts';

/** The `http` section of a service's configuration; each service has its own port and limits for bodies. */
export function httpConfig(defaults: { port: number; bodyLimitBytes: number; maxBodyBytes: number }) {
  return z
    .strictObject({
      host: setting(z.string().min(1).default('127.0.0.1'), {
        env: 'HOST',
        doc: 'Address to listen on. Containers use `0.0.0.0`.',
      }),
      port: setting(z.int().min(0).max(65_535).default(defaults.port), {
        env: 'PORT',
        doc: 'TCP port to listen on; 0 takes a free one.',
      }),
      bodyLimitBytes: setting(z.int().min(1024).default(defaults.bodyLimitBytes), {
        env: 'BODY_LIMIT_BYTES',
        doc: 'Largest request body in bytes; a larger one gets 413. A compressed one counts as it is when it is decoded.',
      }),
      bodies: bodyConfig({ maxBytes: defaults.maxBodyBytes }),
      readStallTimeoutMs: setting(z.int().min(1).max(MAX_TIMER_MS).default(60_000), {
        env: 'READ_STALL_TIMEOUT_MS',
        doc: 'How long a client may take nothing of its answer while there is something to take, in milliseconds; then the answer is broken off. Coarse: systems buffer megabytes, and a slow client shows no progress while its own are full.',
      }),
      shutdownGraceMs: setting(z.int().min(0).default(30_000), {
        env: 'SHUTDOWN_GRACE_MS',
        doc: 'After SIGTERM, how long requests and streams in flight may take to finish, in milliseconds.',
      }),
    })
    .refine(
      ({ bodyLimitBytes, bodies }) => bodyLimitBytes <= Math.floor(bodies.maxBytes * (1 - bodies.smallShare)),
      {
        path: ['bodyLimitBytes'],
        message:
          'a body of this size would never be let in: bodies.maxBytes without bodies.smallShare is less',
      },
    )
    .prefault({});
}

export type HttpConfig = z.output<ReturnType<typeof httpConfig>>;
