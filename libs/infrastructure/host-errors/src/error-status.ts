import type { JsonObject } from '@morgan/foundation';

/** The statuses behind the types and codes of OpenAI, Anthropic, Google, AWS and inference servers. */
const STATUS_OF: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['badrequesterror', 400],
  ['validation', 400],
  ['validationexception', 400],
  ['context_length_exceeded', 400],
  ['content_filter', 400],
  ['content_policy_violation', 400],
  ['exceed_context_size_error', 400],
  ['authentication_error', 401],
  ['invalid_api_key', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['accessdeniedexception', 403],
  ['not_found_error', 404],
  ['notfounderror', 404],
  ['not_found', 404],
  ['resourcenotfoundexception', 404],
  ['model_not_found', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['rate_limited', 429],
  ['too_many_requests', 429],
  ['resource_exhausted', 429],
  ['throttlingexception', 429],
  ['usage_limit_reached', 429],
  ['slow_down', 429],
  ['insufficient_quota', 429],
  ['server_error', 500],
  ['api_error', 500],
  ['internalservererror', 500],
  ['internalserverexception', 500],
  ['overloaded', 503],
  ['server_is_overloaded', 503],
  ['unavailable', 503],
  ['unavailable_error', 503],
  ['service_unavailable_error', 503],
  ['serviceunavailableexception', 503],
  ['timeout_error', 504],
  ['overloaded_error', 529],
]);

/** Where hosts say which HTTP status it stands for, as a number or a text. */
const STATUS_FIELDS = ['code', 'status', 'statusCode', 'status_code', 'http_status_code', 'error_code'];

/** The status among an error's fields, or those around it, else that of the first name that has one. */
export function statusIn(
  parts: readonly JsonObject[],
  names: readonly (string | undefined)[],
): number | undefined {
  const said = parts.flatMap((fields) => STATUS_FIELDS.map((name) => Number(fields[name])));
  return said.find(isHttpStatus) ?? names.map(statusOf).find((status) => status !== undefined);
}

function statusOf(name: string | undefined): number | undefined {
  return name === undefined ? undefined : STATUS_OF.get(name.toLowerCase());
}

/** Whether it is the status of an error. */
export function isHttpStatus(value: number): boolean {
  return Number.isInteger(value) && value >= 400 && value < 600;
}
