import { httpUrl, milliseconds, setting } from '@morgan/foundation';
import { healthMonitorConfig } from '@morgan/health-monitor';
import { httpTransportConfig } from '@morgan/http-transport';
import { hedgeConfig, retryConfig } from '@morgan/retry';
import { z } from 'zod';
import { attemptPoliciesConfig } from './attempt-policies.config.ts';

const transport = httpTransportConfig.unwrap().shape;
const attempts = attemptPoliciesConfig.shape;

const pool = z
  .strictObject({
    maxConnections: transport.maxConnections,
    maxKeepalive: transport.maxKeepalive,
    keepAliveTimeoutMs: transport.keepAliveTimeoutMs,
    maxConnectionAgeMs: transport.maxConnectionAgeMs,
    http2: transport.http2,
  })
  .prefault({});

const timeout = z
  .strictObject({
    connectMs: transport.connectTimeoutMs,
    readMs: transport.readTimeoutMs,
    writeMs: transport.writeTimeoutMs,
    poolMs: transport.poolTimeoutMs,
    totalMs: setting(milliseconds.default(120_000), {
      doc: 'The deadline of a call, all attempts and waits included, in milliseconds; for a streamed response until it begins. A call may bring a nearer one.',
    }),
    adaptive: attempts.adaptiveTimeout,
  })
  .prefault({});

/** The configuration of one client: one service at one base URL. */
export const httpClientConfig = z.strictObject({
  serviceName: setting(z.string().regex(/^[\w.-]{1,64}$/), {
    doc: 'The name of the service that is called, for errors, logs and metric labels.',
  }),
  baseUrl: setting(httpUrl(), {
    doc: 'Where the service is; its path stands in front of every path.',
  }),
  headers: setting(z.record(z.string(), z.string()).default({}), {
    doc: 'Headers of every request, such as `authorization`.',
    secret: true,
  }),
  maxResponseBytes: setting(
    z
      .int()
      .min(1)
      .default(64 * 1024 * 1024),
    {
      doc: 'The largest response that is read into memory, in bytes; streamed responses have no limit.',
    },
  ),
  idempotent: setting(z.boolean().default(true), {
    doc: 'Whether a call that does not say so itself may be repeated after something of it was sent.',
  }),
  pool,
  timeout,
  tls: transport.tls,
  proxy: transport.proxy,
  retry: retryConfig,
  hedge: hedgeConfig.optional(),
  circuitBreaker: attempts.circuitBreaker,
  rateLimit: attempts.rateLimit,
  concurrency: attempts.concurrency,
  health: healthMonitorConfig
    .unwrap()
    .extend({
      path: setting(z.string().default('/health'), {
        doc: 'Asked with GET to find out how the service is; any response below 500 is good.',
      }),
    })
    .optional(),
});

/** With every default filled in. */
export type HttpClientConfig = z.output<typeof httpClientConfig>;

/** As it is written: what has a default may be left out. */
export type HttpClientSettings = z.input<typeof httpClientConfig>;
