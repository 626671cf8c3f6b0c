import { createRequire } from 'node:module';
import { type LogFields, type Logger, parseSettings } from '@morgan/foundation';
import { type DestinationStream, pino, type Logger as PinoLogger } from 'pino';
import type { default as prettyStream } from 'pino-pretty';
import { timeField } from './time-field.ts';
import { BatchedOutput } from './batched-output.ts';
import { describeError, summariseError } from './error-description.ts';
import { logConfig, type LogOptions } from './telemetry.config.ts';

/** One line per event on a terminal too, with the service's name: several services often share one. */
const PRETTY = {
  sync: true,
  singleLine: true,
  translateTime: 'SYS:HH:MM:ss.l',
  ignore: 'pid,hostname,service',
  messageFormat: '{service}: {msg}',
};

/** A logger with a cheap way for the line that each request writes. */
export interface ServiceLogger extends Logger {
  /**
   * As the method of that name, for fields that hold nothing but JSON, the message among them, as `msg`. The same line at a
   * fraction of what pino takes (docs/performance.md).
   */
  plain(level: 'debug' | 'info' | 'warn', fields: LogFields & { readonly msg: string }): void;
}

/**
 * A pino logger with the fields that every line shares. Lines go to stdout without a worker thread, so that the last
 * lines of a crashing process are not lost.
 * @throws ConfigError, which names a setting that is wrong.
 */
export function createLogger(
  service: string,
  options?: LogOptions,
  destination?: DestinationStream,
): ServiceLogger {
  const { level, format } = parseSettings(logConfig, options);
  // To look at it opens it, and from then on a pipe that is full refuses a write and no longer holds up the process.
  const { isTTY } = process.stdout;
  const isPretty = format === 'pretty' || (format === 'auto' && isTTY);
  const onLost = (lines: number) => logger.warn({ lines }, 'lines of the log were lost: nobody took them');
  const stream = destination ?? (isPretty ? loadPretty()(PRETTY) : new BatchedOutput(1, onLost));
  const logger = pino(
    {
      level,
      base: { service },
      timestamp: timeField,
      formatters: { level: (level) => ({ level }) },
      errorKey: 'error',
      serializers: { error: describeError, cause: summariseError },
    },
    stream,
  );
  return Object.assign(logger, { plain: plainLines(service, logger, stream) });
}

/** Put together by one `JSON.stringify`, where pino has many small texts that are joined later. */
function plainLines(service: string, logger: PinoLogger, stream: DestinationStream): ServiceLogger['plain'] {
  const base = `,"service":${JSON.stringify(service)},`;
  return (level, fields) => {
    if (!logger.isLevelEnabled(level)) return;
    stream.write(`{"level":"${level}"${timeField()}${base}${JSON.stringify(fields).slice(1)}\n`);
  };
}

/** Only where lines are for people: it takes a twentieth of a service's start to load. */
function loadPretty(): typeof prettyStream {
  return createRequire(import.meta.url)('pino-pretty') as typeof prettyStream;
}
