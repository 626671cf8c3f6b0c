import { AppError } from '@morgan/foundation';
import type { ReportedError } from '../dialects/reported-error.ts';
import type { StreamFault } from './stream-fault.ts';

/** What the caller reads in the error event: the host's own words where it has some, else what went wrong with it. */
export function reportOf({ message, reported, cause }: StreamFault): ReportedError {
  const error = cause instanceof AppError ? cause : new AppError('stream_interrupted', message);
  const { error: envelope } = error.toEnvelope();
  return {
    ...envelope,
    param: undefined,
    status: reported?.status ?? error.status,
    ...(reported && { message: reported.message }),
  };
}
