import { MAX_TIMER_MS, setting, whereGood } from '@morgan/foundation';
import { z } from 'zod';
import { type BodyConfig, bodyConfig } from './body/body.config.ts';
import { OPENABLE_ENDPOINTS } from './gate/open-routes.ts';

/** What pages have that come from no server: those of extensions and of programs on a desktop. */
const ORIGIN_OF_PROGRAM = /^(?!https?:|file:)[a-z][a-z0-9+.-]*:\/\/[\w.-]+(?::\d+)?$/;

const corsOrigin = z
  .string()
  .refine(
    (text) =>
      text === '*' ||
      ORIGIN_OF_PROGRAM.test(text) ||
      (URL.parse(text)?.origin === text && !text.includes('*')),
    'must be `*` or like https://app.example or app://program, whole: without a path, a slash at its end or a pattern',
  );

const keepAliveTimeoutMs = setting(z.int().min(1_000).max(MAX_TIMER_MS).default(72_000), {
  env: 'KEEP_ALIVE_TIMEOUT_MS',
  doc: 'How long a connection may be idle between two requests, in milliseconds. It must be longer than a load balancer in front keeps idle connections, or that one sends requests on closed ones: most keep them for a minute, those of Google for ten (`620000`).',
});

/** The `http` section of a service's configuration; each service has its own port and limits for bodies. */
export function httpConfig(defaults: { port: number; bodyLimitBytes: number; maxBodyBytes: number }) {
  return z
    .strictObject({
      host: setting(z.string().min(1).default('127.0.0.1'), {
        env: 'HOST',
        doc: 'Address to listen on. Containers use `::`, which is all of them, of IPv4 and IPv6, whichever there are.',
      }),
      port: setting(z.int().min(0).max(65_535).default(defaults.port), {
        env: 'PORT',
        doc: 'TCP port to listen on; 0 takes a free one.',
      }),
      bodyLimitBytes: setting(z.int().min(1024).default(defaults.bodyLimitBytes), {
        env: 'BODY_LIMIT_BYTES',
        doc: 'Largest request body in bytes; a larger one gets 413. A compressed one counts with its decoded length.',
      }),
      bodies: bodyConfig({ maxBytes: defaults.maxBodyBytes }),
      receiveTimeoutMs: setting(z.int().min(100).max(MAX_TIMER_MS).default(120_000), {
        env: 'RECEIVE_TIMEOUT_MS',
        doc: 'How long a request may take to arrive completely, in milliseconds; a slower one gets 408. Its headers have a minute of that at most. Checked every second.',
      }),
      keepAliveTimeoutMs,
      maxConnections: setting(z.int().min(1).default(2_048), {
        env: 'MAX_CONNECTIONS',
        doc: 'Open connections at a time. One above that is closed unanswered; idle ones, and those that for a second neither get an answer nor send a whole head, are closed to make room. The log says so. At most half of the files that the process may open.',
      }),
      openEndpoints: setting(z.array(z.enum(OPENABLE_ENDPOINTS)).default([]), {
        env: 'OPEN_ENDPOINTS',
        doc: 'What needs no API key although keys are configured, separated by commas: `metrics`, `health` (details) and `docs`. `/livez` and `/readyz` never need one, everything else always does.',
      }),
      corsOrigins: setting(z.array(corsOrigin).default([]), {
        env: 'CORS_ORIGINS',
        doc: 'Origins whose pages may call this service from a browser, separated by commas, such as `https://app.example`, `chrome-extension://ID` or `app://obsidian.md`, or `*` for all. Empty: none.',
      }),
      minDrainMs: setting(z.int().min(0).max(MAX_TIMER_MS).default(0), {
        env: 'SHUTDOWN_MIN_DRAIN_MS',
        doc: 'After SIGTERM, how long the port stays open at least while `/readyz` says 503, in milliseconds, so that a load balancer that polls it sends nothing more.',
      }),
      shutdownGraceMs: setting(z.int().min(0).max(MAX_TIMER_MS).default(30_000), {
        env: 'SHUTDOWN_GRACE_MS',
        doc: 'After SIGTERM, how long requests and streams in flight may take to finish, in milliseconds.',
      }),
    })
    .refine(admitsLargestBody, {
      ...whereGood('bodyLimitBytes', 'bodies'),
      path: ['bodyLimitBytes'],
      message: 'a body of this size would never be let in: bodies.maxBytes without bodies.smallShare is less',
    })
    .prefault({});
}

/** Whether a body at its limit finds room in an idle service. */
function admitsLargestBody(config: { bodyLimitBytes: number; bodies: BodyConfig }): boolean {
  const { maxBytes, smallShare } = config.bodies;
  return config.bodyLimitBytes <= Math.floor(maxBytes * (1 - smallShare));
}

export type HttpConfig = z.output<ReturnType<typeof httpConfig>>;
