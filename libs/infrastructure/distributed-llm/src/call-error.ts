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
  timeout: 'host_timeout',
  reset: 'host_error',
  bad_response: 'host_error',
  server_error: 'host_error',
};

const DID: Readonly<Record<HostFault, string>> = {
  connect_error: 'could not be reached',
  timeout: 'did not begin its answer in time',
  reset: 'cut the connection before its answer began',
  bad_response: 'gave an answer that is not from its API',
  server_error: 'failed with a server error',
};

/** No host is left to try: the error that the last one deserves. */
export function allHostsFailed(tried: number, last: FailedTry | undefined): AppError {
  if (!last) return new AppError('no_host_available', 'No host is configured.');
  const { host, fault, cause } = last;
  const message = `${tried} host${tried === 1 ? ' was' : 's were'} tried; ${tried === 1 ? 'it' : 'the last one'}, ${host.name}, ${DID[fault]}.`;
  return new AppError(CODE_OF[fault], message, { cause });
}

/** A fault before the answer for which no other host would help. */
export function callCannotGoOn(cause: unknown): AppError {
  const reason = cause instanceof TransportError ? cause.reason : undefined;
  if (reason === 'aborted') return clientClosedRequest(cause);
  if (reason === 'closed') return new AppError('no_host_available', 'The service is stopping.', { cause });
  return new AppError('internal_error', 'The request could not be passed on.', { cause });
}

/** A fault after the answer began: nothing can be taken back, so no other host is tried. */
export function brokenAnswer(cause: TransportError): AppError {
  if (cause.reason === 'aborted') return clientClosedRequest(cause);
  return new AppError('stream_interrupted', 'The host broke off in the middle of its answer.', { cause });
}

function clientClosedRequest(cause: unknown): AppError {
  return new AppError('client_closed_request', 'The client went away.', { cause });
}
