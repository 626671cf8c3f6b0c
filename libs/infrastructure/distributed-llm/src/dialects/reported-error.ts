/** An error as a host reports it or as a dialect tells it, whatever its shape on the wire. */
export interface ReportedError {
  /** The HTTP status that it stands for, where that can be told. */
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly code: string | undefined;
  readonly message: string;
  readonly param?: string | undefined;
}

/** A value of JSON.parse that is an object and no list. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The statuses behind the types and codes of OpenAI, Anthropic, vLLM, llama.cpp and text-generation-inference. */
const STATUS_OF: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['badrequesterror', 400],
  ['validation', 400],
  ['context_length_exceeded', 400],
  ['exceed_context_size_error', 400],
  ['authentication_error', 401],
  ['invalid_api_key', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['notfounderror', 404],
  ['model_not_found', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['insufficient_quota', 429],
  ['server_error', 500],
  ['api_error', 500],
  ['internalservererror', 500],
  ['overloaded', 503],
  ['unavailable_error', 503],
  ['timeout_error', 504],
  ['overloaded_error', 529],
]);

/**
 * The error object in a host's response or event, whose status line may say 200: OpenAI's and Anthropic's `error`, vLLM's
 * `object: error`, FastAPI's `detail`, the bare text of Ollama and text-generation-inference, `response.failed`.
 */
export function errorIn(json: JsonObject): ReportedError | undefined {
  const { error, detail } = json;
  if (isObject(error)) return describe(error);
  if (typeof error === 'string' && error !== '') return describe({ ...json, message: error });
  if (json['object'] === 'error' || json['type'] === 'error') return describe(json);
  if (json['type'] === 'response.failed' && isObject(json['response'])) return errorIn(json['response']);
  if (detail !== undefined && Object.keys(json).length === 1)
    return describe({ message: detailText(detail) });
  return undefined;
}

/** Whether it is an object of JSON and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value if it is a text that is not empty. */
export function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function describe(fields: JsonObject): ReportedError {
  const type = textOrNone(fields['type']) ?? textOrNone(fields['error_type']);
  const code = fields['code'] ?? fields['status'] ?? fields['statusCode'];
  const isStatus = isHttpStatus(Number(code));
  const named = isStatus ? undefined : textOrNone(code);
  return {
    status: isStatus ? Number(code) : (statusOf(named) ?? statusOf(type)),
    type,
    code: named,
    message:
      textOrNone(fields['message']) ?? named ?? type ?? 'The host reported an error without a message.',
    ...(typeof fields['param'] === 'string' && { param: fields['param'] }),
  };
}

function statusOf(name: string | undefined): number | undefined {
  return name === undefined ? undefined : STATUS_OF.get(name.toLowerCase());
}

function isHttpStatus(value: number): boolean {
  return Number.isInteger(value) && value >= 400 && value < 600;
}

/** FastAPI: a text, or a list of faults with the path to each field. */
function detailText(detail: unknown): string {
  if (typeof detail === 'string') return detail;
  if (isObject(detail)) return textOrNone(detail['message']) ?? JSON.stringify(detail);
  if (!Array.isArray(detail)) return String(detail);
  const faults = detail.filter(isObject).map(({ loc, msg }) => {
    const path = Array.isArray(loc) ? `${loc.join('.')}: ` : '';
    return path + (typeof msg === 'string' ? msg : 'invalid');
  });
  return faults.join('; ');
}
