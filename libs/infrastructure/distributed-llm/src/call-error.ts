import { AppError, type ErrorCode } from '@morgan/foundation';
import { TransportError } from '@morgan/http-transport';
import type { Host } from './host.ts';
import type { HostFault } from './host-outcome.ts';

/** A try at a host that gave no usable answer. */
export interface FailedTry {
  readonly host: Host;
  readonly fault: HostFault;
  readonly cause: unknown;
}

const CODE_OF: Readonly<Record<HostFault, ErrorCode>> = {
  connect_error: 'no_host_available',
  saturated: 'no_host_available',
  timeout: 'host_timeout',
  reset: 'host_error',
  bad_response: 'host_error',
  server_error: 'host_error',
};

const DID: Readonly<Record<HostFault, string>> = {
  connect_error: 'could not be reached',
  saturated: 'had no free connection',
  timeout: 'did not begin its answer in time',
  reset: 'cut the connection before its answer began',
  bad_response: 'gave an answer that is not from its API',
  server_error: 'failed with a server error',
};

/** No further host is tried: the error that the last one deserves. */
export function hostsFailed(tried: number, { host, fault, cause }: FailedTry): AppError {
  const message = `${tried} host${tried === 1 ? ' was' : 's were'} tried; ${tried === 1 ? 'it' : 'the last one'}, ${host.name}, ${DID[fault]}.`;
  return new AppError(CODE_OF[fault], message, { cause });
}

/** There is no host that could be tried. @param retryAfterMs when one will be, if that is known. */
export function noHostToTry(configured: number, retryAfterMs: number | undefined): AppError {
  if (configured === 0) return new AppError('no_host_available', 'No host is configured.');
  const message = 'All hosts have failed too often and are left alone for a while.';
  return new AppError('no_host_available', message, { retryAfterMs });
}

/** A fault before the answer for which no other host would help. */
export function callCannotGoOn(cause: unknown): AppError {
  const reason = cause instanceof TransportError ? cause.reason : undefined;
  if (reason === 'aborted') return callStopped(cause as TransportError);
  if (reason === 'closed') return new AppError('no_host_available', 'The service is stopping.', { cause });
  return new AppError('internal_error', 'The request could not be passed on.', { cause });
}

/** A fault after the answer began: nothing can be taken back, so no other host is tried. */
export function brokenAnswer(cause: TransportError): AppError {
  if (cause.reason === 'aborted') return callStopped(cause);
  return new AppError('stream_interrupted', 'The host broke off in the middle of its answer.', { cause });
}

/** The gateway's own key is wrong, which is not for the caller to mend. */
export function credentialsRejected(host: Host): AppError {
  return new AppError(
    'host_rejected_credentials',
    `The host ${host.name} refused the gateway's credentials.`,
  );
}

/** The reason of the abort where it says enough, as that of a deadline does. */
function callStopped(cause: TransportError): AppError {
  if (cause.cause instanceof AppError) return cause.cause;
  return new AppError('client_closed_request', 'The client went away.', { cause });
}
