import { AppError } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import type { StreamFault } from '../sse/stream-fault.ts';

/** The fault as callers of this library meet it: a deadline or the caller's own leaving is named as such. */
export function errorOf(fault: StreamFault): AppError {
  const { cause, message } = fault;
  return cause instanceof AppError ? cause : new AppError('stream_interrupted', message, { cause: fault });
}

/**
 * What the caller reads in the error event: the host's own words, type and code where it has some, as clients go by them (a
 * context that is too long, a quota), else what went wrong with it.
 */
export function reportOf(fault: StreamFault): ReportedError {
  const { reported } = fault;
  const error = errorOf(fault);
  const { type, code, message } = error.toEnvelope().error;
  return {
    status: reported?.status ?? error.status,
    type: reported?.type ?? type,
    code: reported?.code ?? code,
    message: reported?.message ?? message,
  };
}
