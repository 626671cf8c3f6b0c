import { TransportError, type TransportFault } from '@morgan/http-transport';
import { AxiosError, CanceledError, type InternalAxiosRequestConfig } from 'axios';
import type { CallCancellation } from './call-cancellation.ts';

/** The codes that callers of axios know; what is left to `timeout` follows `transitional.clarifyTimeoutError`. */
const CODE_OF: Readonly<Record<TransportFault, string>> = {
  connect_refused: 'ECONNREFUSED',
  dns_failed: 'ENOTFOUND',
  connect_timeout: AxiosError.ETIMEDOUT,
  tls_failed: AxiosError.ERR_NETWORK,
  connect_failed: AxiosError.ERR_NETWORK,
  out_of_sockets: AxiosError.ERR_NETWORK,
  pool_timeout: 'timeout',
  write_timeout: 'timeout',
  first_byte_timeout: 'timeout',
  body_timeout: 'timeout',
  upload_failed: AxiosError.ERR_BAD_REQUEST,
  reset: 'ECONNRESET',
  incomplete_body: AxiosError.ERR_BAD_RESPONSE,
  bad_response: AxiosError.ERR_BAD_RESPONSE,
  too_large: AxiosError.ERR_BAD_RESPONSE,
  aborted: AxiosError.ERR_CANCELED,
  closed: AxiosError.ERR_NETWORK,
  invalid_request: AxiosError.ERR_BAD_REQUEST,
};

/**
 * What axios would have thrown; its `cause` is the original. Where that comes from a policy around the transport the code
 * is that of the fault of the transport behind it; where there is none, the error's own.
 */
export function axiosFaultOf(
  error: unknown,
  config: InternalAxiosRequestConfig,
  { signal, timedOut }: CallCancellation,
): AxiosError {
  const cause = error as Error;
  if (signal.aborted && !timedOut) return Object.assign(new CanceledError(undefined, config), { cause });
  const code = timedOut ? 'timeout' : codeOf(error);
  const late = config.transitional?.clarifyTimeoutError ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED;
  const message = timedOut
    ? (config.timeoutErrorMessage ?? `timeout of ${config.timeout}ms exceeded`)
    : messageOf(error);
  return Object.assign(new AxiosError(message, code === 'timeout' ? late : code, config), { cause });
}

function codeOf(error: unknown): string {
  const reason = transportFaultOf(error);
  if (reason && reason !== 'aborted') return CODE_OF[reason];
  // It was not the caller who aborted: who did has a word for why, such as `deadline_exceeded`.
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' ? code : reason ? CODE_OF[reason] : AxiosError.ERR_NETWORK;
}

function transportFaultOf(error: unknown): TransportFault | undefined {
  const seen = new Set<unknown>();
  for (let one = error; one instanceof Error && !seen.has(one); one = one.cause) {
    if (one instanceof TransportError) return one.reason;
    seen.add(one);
  }
  return undefined;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : 'The request failed.');
