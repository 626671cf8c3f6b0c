import { setting } from '@morgan/foundation';
import { z } from 'zod';

/** The `http` section of a service's configuration; each service has its own port and body limit. */
export function httpConfig(defaults: { port: number; bodyLimitBytes: number }) {
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
        doc: 'Largest request body in bytes; a larger one gets 413.',
      }),
      shutdownGraceMs: setting(z.int().min(0).default(30_000), {
        env: 'SHUTDOWN_GRACE_MS',
        doc: 'After SIGTERM, how long requests and streams in flight may take to finish, in milliseconds.',
      }),
    })
    .prefault({});
}

export type HttpConfig = z.output<ReturnType<typeof httpConfig>>;
