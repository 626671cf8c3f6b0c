/** What went wrong, as a closed set. Every error that leaves a service has exactly one. */
export type ErrorKind =
  | 'invalid_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'too_large'
  | 'unsupported_media_type'
  | 'expectation_failed'
  | 'upgrade_required'
  | 'headers_too_large'
  | 'rate_limited'
  | 'overloaded'
  | 'unavailable'
  | 'upstream_failed'
  | 'timeout'
  | 'cancelled'
  | 'internal';

/** The one map from kind to HTTP status. 499 is nginx's "client closed request": it is logged, never sent. */
export const HTTP_STATUS: Readonly<Record<ErrorKind, number>> = {
  invalid_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  too_large: 413,
  unsupported_media_type: 415,
  expectation_failed: 417,
  upgrade_required: 426,
  headers_too_large: 431,
  rate_limited: 429,
  overloaded: 503,
  unavailable: 503,
  upstream_failed: 502,
  timeout: 504,
  cancelled: 499,
  internal: 500,
};

/** The `type` of OpenAI's error envelope for each kind. */
export const ENVELOPE_TYPE: Readonly<Record<ErrorKind, string>> = {
  invalid_request: 'invalid_request_error',
  unauthenticated: 'authentication_error',
  forbidden: 'permission_error',
  not_found: 'invalid_request_error',
  method_not_allowed: 'invalid_request_error',
  request_timeout: 'invalid_request_error',
  too_large: 'invalid_request_error',
  unsupported_media_type: 'invalid_request_error',
  expectation_failed: 'invalid_request_error',
  upgrade_required: 'invalid_request_error',
  headers_too_large: 'invalid_request_error',
  rate_limited: 'rate_limit_error',
  overloaded: 'server_error',
  unavailable: 'server_error',
  upstream_failed: 'server_error',
  timeout: 'server_error',
  cancelled: 'server_error',
  internal: 'server_error',
};
