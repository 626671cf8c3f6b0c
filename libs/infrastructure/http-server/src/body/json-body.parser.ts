import type { FastifyInstance } from 'fastify';
import type { Logger } from '@morgan/foundation';
import { contextOf } from '../request-context.ts';
import type { BodyConfig } from './body.config.ts';
import type { BodyFormat } from './body-format.ts';
import type { BodyMetrics } from './body-metrics.ts';
import { BodyReader } from './body-reader.ts';
import { BodyStream } from './body-stream.ts';

/** What bodies are read with. */
export interface JsonBodyOptions {
  readonly format: BodyFormat;
  readonly limitBytes: number;
  readonly config: BodyConfig;
  readonly logger: Logger;
  readonly metrics: BodyMetrics;
}

/** Reads the bodies that were let in. Their media types have been checked. */
export function registerJsonBodyParser(fastify: FastifyInstance, options: JsonBodyOptions): void {
  const { format, limitBytes, config, logger, metrics } = options;
  const { minBytesPerSecond, rateWindowMs } = config;
  fastify.removeAllContentTypeParsers();
  // Fastify finds the type that nearly all bodies have by its name, and would take any other to pieces each time.
  fastify.addContentTypeParser(['application/json', '*'], (request, payload, done) => {
    const admitted = request.admittedBody;
    if (!admitted) return done(null, undefined);
    const { id } = contextOf(request);
    const tooSlow = (receivedBytes: number) => {
      metrics.slowUpload();
      const announcedBytes = admitted.declared;
      logger.info({ requestId: id, receivedBytes, announcedBytes }, 'an upload was too slow and is refused');
    };
    const isPaused = () => payload.isPaused();
    const pace = { minBytesPerSecond, rateWindowMs, isPaused, tooSlow };
    if (admitted.isStreamed)
      return done(null, new BodyStream(request.raw, { ...admitted, limitBytes, pace }));
    new BodyReader(payload, { ...admitted, format, limitBytes, json: config, pace }, done).start();
  });
}
