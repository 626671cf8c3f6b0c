import { AppError, callStopped } from '@morgan/foundation';
import type { TransportError } from '@morgan/http-transport';

/** A fault after the response began: nothing can be taken back, so no other target is tried. */
export function brokenResponse(cause: TransportError): AppError {
  if (cause.reason === 'aborted') return callStopped({ reason: cause.cause });
  return new AppError('stream_interrupted', 'The host broke off in the middle of its answer.', { cause });
}
