import type { Logger } from '@morgan/foundation';
import type { Metrics } from '@morgan/telemetry';
import type { FastifyInstance } from 'fastify';
import type { Authenticator } from '../authentication.hook.ts';
import type { HttpConfig } from '../http-server.config.ts';
import { Admission } from './admission.ts';
import { registerBodyAdmission } from './body-admission.hook.ts';
import { type BodyFormat, PARSED_JSON } from './body-format.ts';
import { BodyMetrics } from './body-metrics.ts';
import { registerJsonBodyParser } from './json-body.parser.ts';
import { registerStalledReaders, StalledReaders } from './stalled-readers.ts';

/** What the bodies of requests and responses are handled with. */
export interface BodyOptions {
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly bodies?: BodyFormat;
  /** Tells callers apart. */
  readonly authenticator: Pick<Authenticator, 'callers'>;
}

declare module 'fastify' {
  interface FastifyInstance {
    stalledReaders: StalledReaders;
  }
}

/** Everything between a body and memory: who may send one, how it is read, and who reads the response. */
export function registerBodies(fastify: FastifyInstance, options: BodyOptions): void {
  const { config, logger, bodies: format = PARSED_JSON, authenticator } = options;
  const { bodies, bodyLimitBytes: limitBytes } = config;
  const metrics = new BodyMetrics(options.metrics);
  const admission = new Admission({ ...bodies, callers: authenticator.callers }, logger, metrics);
  metrics.watch(admission);
  registerBodyAdmission(fastify, admission, { limitBytes, format });
  registerJsonBodyParser(fastify, { format, limitBytes, config: bodies, logger, metrics });
  const readers = new StalledReaders(bodies.readStallTimeoutMs, logger, metrics);
  fastify.decorate('stalledReaders', readers);
  registerStalledReaders(fastify, readers);
}
