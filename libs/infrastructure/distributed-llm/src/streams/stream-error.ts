import { AppError } from '@morgan/foundation';
import type { ReportedError } from '../dialects/reported-error.ts';
import type { StreamFault } from './stream-fault.ts';

/** The fault as callers of this library meet it: a deadline or the caller's own leaving is named as such. */
export function errorOf(fault: StreamFault): AppError {
  const { cause, message } = fault;
  return cause instanceof AppError ? cause : new AppError('stream_interrupted', message, { cause: fault });
}

/** What the caller reads in the error event: the host's own words where it has some, else what went wrong with it. */
export function reportOf(fault: StreamFault): ReportedError {
  const { reported } = fault;
  const error = errorOf(fault);
  const { error: envelope } = error.toEnvelope();
  return {
    ...envelope,
    param: undefined,
    status: reported?.status ?? error.status,
    ...(reported && { message: reported.message }),
  };
}
