import type { Logger } from '@morgan/foundation';
import type { BodyHook } from '../gate/gate.ts';
import { contextOf } from '../http-exchange.ts';
import type { BodyConfig } from './body.config.ts';
import { windowOf } from './body-decoder.ts';
import type { BodyFormat } from './body-format.ts';
import type { BodyMetrics } from './body-metrics.ts';
import { BodyReader } from './body-reader.ts';
import { BodyStream } from './body-stream.ts';
import { readWholeBody } from './whole-body.ts';

/** What bodies are read with. */
interface JsonBodyOptions {
  readonly format: BodyFormat;
  readonly limitBytes: number;
  readonly config: BodyConfig;
  readonly logger: Logger;
  readonly metrics: BodyMetrics;
}

/** Reads the bodies that were let in. Their media types have been checked. */
export function bodyParser(options: JsonBodyOptions): BodyHook {
  const { format, limitBytes, config, logger, metrics } = options;
  const { minBytesPerSecond, rateWindowMs } = config;
  return (request, source, done) => {
    const admitted = request.admittedBody;
    if (!admitted) return done(null, undefined);
    const context = contextOf(request);
    const content = {
      ...admitted,
      format,
      limitBytes,
      json: config,
      windowBytes: windowOf(admitted.encoding),
    };
    if (Buffer.isBuffer(source))
      return readWholeBody(source, { ...content, isGone: () => context.isClientGone }, done);
    const { id } = context;
    const tooSlow = (receivedBytes: number) => {
      metrics.slowUpload();
      const announcedBytes = admitted.declared;
      logger.info({ requestId: id, receivedBytes, announcedBytes }, 'an upload was too slow and is refused');
    };
    const isPaused = () => source.isPaused();
    const pace = { minBytesPerSecond, rateWindowMs, isPaused, tooSlow };
    if (admitted.isStreamed) return done(null, new BodyStream(source, { ...admitted, limitBytes, pace }));
    new BodyReader(source, { ...content, pace }, done).start();
  };
}
