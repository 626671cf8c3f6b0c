import type { TransportError, TransportFault } from '@morgan/http-transport';
import { AxiosError, CanceledError, type InternalAxiosRequestConfig } from 'axios';

/** The codes that callers of axios know; what is left to `timeout` follows `transitional.clarifyTimeoutError`. */
const CODE_OF: Readonly<Record<TransportFault, string>> = {
  connect_refused: 'ECONNREFUSED',
  dns_failed: 'ENOTFOUND',
  connect_timeout: AxiosError.ETIMEDOUT,
  tls_failed: AxiosError.ERR_NETWORK,
  connect_failed: AxiosError.ERR_NETWORK,
  pool_timeout: 'timeout',
  write_timeout: 'timeout',
  first_byte_timeout: 'timeout',
  body_timeout: 'timeout',
  upload_failed: AxiosError.ERR_BAD_REQUEST,
  reset: 'ECONNRESET',
  incomplete_body: AxiosError.ERR_BAD_RESPONSE,
  bad_response: AxiosError.ERR_BAD_RESPONSE,
  aborted: AxiosError.ERR_CANCELED,
  closed: AxiosError.ERR_NETWORK,
  invalid_request: AxiosError.ERR_BAD_REQUEST,
};

/** What axios would have thrown; its `cause` is the TransportError. */
export function axiosFaultOf(
  fault: TransportError,
  config: InternalAxiosRequestConfig,
  timedOut: boolean,
): AxiosError {
  if (fault.reason === 'aborted' && !timedOut)
    return Object.assign(new CanceledError(undefined, config), { cause: fault });
  const code = timedOut ? 'timeout' : CODE_OF[fault.reason];
  const late = config.transitional?.clarifyTimeoutError ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED;
  const message = timedOut
    ? (config.timeoutErrorMessage ?? `timeout of ${config.timeout}ms exceeded`)
    : fault.message;
  return Object.assign(new AxiosError(message, code === 'timeout' ? late : code, config), { cause: fault });
}
