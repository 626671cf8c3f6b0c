import type { Logger } from '@morgan/foundation';
import { type DestinationStream, pino } from 'pino';
import pretty from 'pino-pretty';
import { BatchedOutput } from './batched-output.ts';
import type { LogConfig } from './telemetry.config.ts';

/** One line per event on a terminal too, with the service's name: several services often share one. */
const PRETTY = {
  sync: true,
  singleLine: true,
  translateTime: 'SYS:HH:MM:ss.l',
  ignore: 'pid,hostname,service',
  messageFormat: '{service}: {msg}',
};

/**
 * A pino logger with the fields that every line shares. Lines go to stdout without a worker thread, so that the last
 * lines of a crashing process are not lost.
 */
export function createLogger(service: string, config: LogConfig, destination?: DestinationStream): Logger {
  const isPretty = config.format === 'pretty' || (config.format === 'auto' && process.stdout.isTTY);
  const stream = destination ?? (isPretty ? pretty(PRETTY) : new BatchedOutput());
  return pino(
    {
      level: config.level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      errorKey: 'error',
      serializers: { error: describeError, cause: summariseError },
    },
    stream,
  );
}

/** Name, code, message, stack and causes; never further properties, which may hold a request. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const code = (error as { code?: unknown }).code;
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    stack,
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}

/** A fault that was expected and dealt with, in one line: what, and what lay behind it. */
function summariseError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const line = `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${line} <- ${String(summariseError(error.cause))}` : line;
}
